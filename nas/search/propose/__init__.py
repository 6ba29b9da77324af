"""Choices to networks inside the budget, and the samplers that make the choices."""
