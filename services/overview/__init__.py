"""The network of spokes at a glance."""
