"""The people who run it: how they come in, what each may do, and what takes two of them."""
