"""The edge: processes and protocols. Reads requests, calls one use case, answers."""
