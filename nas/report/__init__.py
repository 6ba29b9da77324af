"""A search as a page to read: front, progress, drawings, tables."""
