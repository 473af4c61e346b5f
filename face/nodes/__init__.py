"""Face checks on machines of their own: what a node does, and the words between it and a portal."""
