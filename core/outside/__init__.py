"""Beside the door out: who is held back, who watches what passes, and on whose behalf it does."""
