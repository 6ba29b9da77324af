"""Choices to genomes within budget, and a study of how they did."""
