"""What to try next: a sampler gives trials for the space to ask, and is told how each came out."""
