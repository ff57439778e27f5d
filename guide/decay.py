"""Weight decay and penalties: what shrinks, by how much, and when."""
