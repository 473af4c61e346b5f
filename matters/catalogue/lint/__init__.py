"""Lint of the catalogue: what must, should and had better hold of a matter before it is published."""
