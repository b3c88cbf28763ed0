"""The synthetic data's calendar: morning, evening, reset."""
