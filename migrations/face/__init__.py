"""The tables of face."""
