"""The public sets: their files, digests and downloads."""
