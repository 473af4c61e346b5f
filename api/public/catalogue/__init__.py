"""What is published about matters and data, for everybody."""
