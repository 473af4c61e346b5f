"""What comes up in a life, for residents: bundles, one wish that takes several matters."""
