"""The services of handling: what staff, departments and supervisors do with cases."""
