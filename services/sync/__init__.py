"""What the account tells of itself, read on a schedule and on request, and kept in the history."""
