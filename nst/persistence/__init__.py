"""Write and read checkpoints and provenance records, and find the input files again."""
