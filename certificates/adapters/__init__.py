"""The issuers, one file for each; the wiring builds those that are enabled."""
