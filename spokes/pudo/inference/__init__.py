"""The tasks of INFERENCE_DAG, and the evaluation of its predictions. Doing a day again replaces it."""

#: Table with the features of the last run, from which it predicts.
FEATURES_TABLE = "INFERENCE_FEATURES"
