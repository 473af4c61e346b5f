"""The tests, each at the place of what it tests; what they share lies in `tests/fakes/`."""
