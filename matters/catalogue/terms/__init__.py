"""The smallest words of the catalogue, which all its rooms share."""
