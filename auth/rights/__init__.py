"""The rights over one's own data: having it all, having it corrected, leaving without a trace that need not stay."""
