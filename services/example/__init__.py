"""The example's set-up from an empty account to an evaluated forecast."""
