"""Keys that never stand in the database, as files."""
