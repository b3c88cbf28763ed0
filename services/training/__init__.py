"""Task graphs and their runs."""
