"""Keeping time, for staff: longer limits, cards, orders and records."""
