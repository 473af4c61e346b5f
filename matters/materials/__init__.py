"""Materials: how each is satisfied with the least trouble, what may be asked for, and what a resident keeps here."""
