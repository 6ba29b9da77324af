"""A run directory and its study: the one record of every trial."""
