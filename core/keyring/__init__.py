"""The keys that never stand in the database: reading their folder, and writing the next ones into it."""
