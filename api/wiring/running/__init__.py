"""What runs beside requests, and what is done before anything runs."""
