"""The report of one run, a file a section."""
