"""Desks that take dossiers for several departments."""
