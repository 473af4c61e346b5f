"""Commands: thin and lasting, each calls use cases through the wiring."""
