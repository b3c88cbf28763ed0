"""What the documentation does not decide, asked of an account, and the example's whole way on it."""
