"""Residents' applications as staff deals with them."""
