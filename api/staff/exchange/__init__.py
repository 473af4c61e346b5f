"""What passes between us and outside systems, for staff."""
