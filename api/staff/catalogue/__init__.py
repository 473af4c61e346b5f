"""The dynamic list, as those see it who keep it."""
