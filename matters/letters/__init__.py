"""Letters to departments that have a dossier: what was missing, what was taken back, what was decided."""
