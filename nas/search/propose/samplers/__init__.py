"""Samplers: each gives trials for the space to ask, and is told the result of each."""
