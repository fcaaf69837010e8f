"""Estimate time and memory of a run, from shapes and two timed evaluations."""
