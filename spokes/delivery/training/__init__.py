"""The tasks of TRAIN. A run that is retried finds what it made before and does not make it twice."""

DATASET = "ATTEMPT_DATASET"
MODEL = "MISS_MODEL"
