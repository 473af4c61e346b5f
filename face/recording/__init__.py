"""The recording by itself: is each frame good enough, is it one and the same person, did they do what was asked."""
