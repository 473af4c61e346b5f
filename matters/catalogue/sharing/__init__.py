"""What departments share: the data dictionary, the sharing catalogue, the open catalogue and the negative list."""
