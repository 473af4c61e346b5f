"""Longer limits: a department asks with a reason, somebody else approves, and the resident is told (许可法 art. 42)."""
