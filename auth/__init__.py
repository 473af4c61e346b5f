"""Who is calling, how sure we are, and on whose behalf."""
