"""What goes between us and a department after a dossier was handed over: asking how it stands, and why it could not."""
