"""Stores for files, pretended."""
