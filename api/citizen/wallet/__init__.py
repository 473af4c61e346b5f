"""Showing certificates, and what follows from it."""
