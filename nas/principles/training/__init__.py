"""What has to be trained for the claims, and its training."""
