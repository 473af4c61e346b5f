"""What departments tell us: signed, about their own cases only."""
