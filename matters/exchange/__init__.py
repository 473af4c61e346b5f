"""What passes between us and outside systems: how each of them stands, and how much is asked of whom."""
