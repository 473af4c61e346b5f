"""Face checks that a platform makes in its own client: it looks at the face, we learn how that ended."""
