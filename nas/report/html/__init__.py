"""HTML whose text is escaped, and the offline page around it."""
