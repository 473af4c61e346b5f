"""Ways to tell people something, pretended: subscribe messages and notices by short message."""
