"""What the account is charged for, by whom it was caused, what it will come to, and what may be spent."""
