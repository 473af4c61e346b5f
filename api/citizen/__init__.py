"""What residents may ask."""
