"""What there is to ask for: published matters as data, checked at start, found and explained."""
