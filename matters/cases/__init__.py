"""Handling: the history of a case, deadlines, news from departments, decisions."""
