"""What residents are asked to agree to, as data: a further purpose or a new version is a further entry, and no code."""
