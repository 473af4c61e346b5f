"""What those who check certificates may ask."""
