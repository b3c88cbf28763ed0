"""PREPARE → FIT → JUDGE → PROMOTE or WARN; TIDY comes last, however the others ended."""

from __future__ import annotations

import pandas as pd
from snowflake.ml.model import model_signature
from spoke_kit.datasets import TRAIN
from spoke_kit.errors import DataMissing
from spoke_kit.pipeline import cleanup, quality, training
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine
from . import DATASET, MODEL
from .model import NO_MISS, OUTPUT, feature_columns, fit

#: Days at the start whose windows are not filled yet.
WARM_UP_DAYS = 28

_SPAN = "SELECT MIN(ATTEMPT_DATE), MAX(ATTEMPT_DATE) FROM {shared:DELIVERY_ATTEMPTS} WHERE ATTEMPT_NUMBER = 1"


@task
def prepare(context: TaskContext) -> Json:
    """Returns the dataset, its versions and the days of each split."""
    first_day, last_day = context.sql(_SPAN)[0]
    if last_day is None:
        raise DataMissing("there are no attempts to learn from", "Seed or load the source tables first.")
    return training.prepare(
        context,
        DATASET,
        (first_day, last_day),
        spine.labelled,
        timestamp=spine.TIMESTAMP,
        warm_up_days=WARM_UP_DAYS,
    )


@task
def fit_model(context: TaskContext) -> Json:
    """Returns the version and its metrics."""
    prepared = context.result_of("PREPARE")
    frames = training.read_splits(context, prepared, spine.KEYS)
    model, found = fit(frames, dict(context.manifest.models[MODEL].parameters))
    columns = feature_columns(frames[TRAIN])
    sample = frames[TRAIN][columns].astype(float).head(100)
    outputs = pd.DataFrame(model.predict_proba(sample).astype(float), columns=[NO_MISS, OUTPUT])
    return training.log(
        context,
        MODEL,
        model,
        prepared,
        rows={split: len(frame) for split, frame in frames.items()},
        columns=columns,
        signature=model_signature.infer_signature(sample.fillna(0.0), outputs),
        metrics=found,
        method="predict_proba",
    )


@task
def judge(context: TaskContext) -> str:
    """Returns the name of the task to go on with."""
    return "WARN" if quality.judge(context, MODEL, context.result_of("FIT")) else "PROMOTE"


@task
def promote(context: TaskContext) -> Json:
    """Make the version of this run the default."""
    return quality.promote(context, MODEL)


@task
def warn(context: TaskContext) -> Json:
    """Leave an alert that says why it is not."""
    return quality.warn(context, MODEL)


@task
def tidy(context: TaskContext) -> Json:
    """Drop versions that nobody uses any more."""
    return cleanup.drop_unused(context, MODEL, DATASET)
