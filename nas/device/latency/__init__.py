"""How long a network takes per image: measured by a provider, and predicted by a model of its layers."""
