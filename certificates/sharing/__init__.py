"""Certificates read by others without a code: what their holders have agreed to, and the questions that rest on it."""
