"""One file for each outside system by which people are told something."""
