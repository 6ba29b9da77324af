"""The page of the design principles."""
