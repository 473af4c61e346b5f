"""What became of notices: reached nobody outside the inbox, or nobody knows after a restore."""
