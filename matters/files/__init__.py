"""Files of residents: what is taken and what is not, made harmless in a process of its own, read by short addresses."""
