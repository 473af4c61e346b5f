"""How an application is shown to its owner."""
