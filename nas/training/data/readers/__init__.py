"""A reader for each layout in which people keep images."""
