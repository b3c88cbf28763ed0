"""What failed, grouped by what it has in common, and who handles it."""
