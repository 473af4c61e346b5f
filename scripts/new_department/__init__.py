"""Stubs of a further department that takes dossiers: adapter, twin, page and its place in the contract test."""
