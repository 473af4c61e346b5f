"""How we prove to outside systems that a request is ours: handed to `Outbound` by the wiring."""
