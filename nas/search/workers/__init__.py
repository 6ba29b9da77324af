"""Where a network is trained: worker processes of this machine, or actors of a Ray cluster."""
