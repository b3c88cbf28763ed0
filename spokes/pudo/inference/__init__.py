"""The tasks of INFERENCE_DAG, and the evaluation of its predictions. Doing a day again replaces it."""

PREDICTION = "CAPACITY"
