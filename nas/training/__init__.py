"""A module and a recipe to a stream of scores."""
