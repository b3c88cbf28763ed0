"""A spoke that tests bring."""
