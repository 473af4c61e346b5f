"""Face engines and sources of portraits, each translated into the words of `face.ports`."""
