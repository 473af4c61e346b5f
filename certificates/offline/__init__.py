"""Certificates that prove themselves: tokens and the lists of what became of them, checked by anybody without us."""
