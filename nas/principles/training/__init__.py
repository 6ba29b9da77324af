"""The training of what the claims need."""
