"""The tasks of SCORE, and the evaluation of its predictions. Doing a day again replaces it."""

PREDICTION = "MISSES"
