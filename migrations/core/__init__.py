"""The ground's tables."""
