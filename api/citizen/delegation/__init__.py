"""What residents may ask about acting for others."""
