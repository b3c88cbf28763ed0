"""Tasks and task graphs."""
