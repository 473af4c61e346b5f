"""Promises of what follows: rows written in the transaction, carried by taskiq, swept, retried, buried, resent."""
