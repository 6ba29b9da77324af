"""The report of a run while a search works on it, served on the loopback address and made again as trials end."""
