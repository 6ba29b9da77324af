"""A reader for each layout of files in which images are kept."""
