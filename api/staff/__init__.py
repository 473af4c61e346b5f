"""What operators ask for, one file for each domain."""
