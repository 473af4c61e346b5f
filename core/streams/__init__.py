"""The door out for outside systems that do not speak HTTP."""
