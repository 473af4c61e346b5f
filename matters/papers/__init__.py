"""Papers that applicants take with them."""
