"""Backups: one folder with the database, the attachments, and a list of what is in it. The keys are never in it."""
