"""What comes of a case: the decision on paper, its way to the applicant, and the package for the archive."""
