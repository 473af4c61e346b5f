"""Changing keys while requests run: what the command writes into the key folder, and what processes make of it."""
