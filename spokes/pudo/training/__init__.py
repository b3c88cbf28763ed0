"""The tasks of TRAINING_DAG. A run that is retried finds what it made before and does not make it twice."""

DATASET = "CAPACITY_DATASET"
MODEL = "CAPACITY_MODEL"
