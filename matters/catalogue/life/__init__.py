"""What comes up in a life: its list from birth to death, and bundles (一件事), one wish that takes several matters."""
