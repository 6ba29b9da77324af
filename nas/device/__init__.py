"""What a network is on hardware: memory, files and latency, from its graph."""
