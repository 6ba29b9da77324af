"""Training: data, recipes, and a trainer that yields a score per epoch."""
