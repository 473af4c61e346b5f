"""The cast from end to end, against the product and the sandbox as processes."""
