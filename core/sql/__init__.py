"""Texts of SQL: pure functions, no database."""
