"""Second task: fit, judge on the test weeks beside the naive forecasts, and log a model version."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xgboost as xgb
from snowflake.ml.model import model_signature
from spoke_kit import metrics
from spoke_kit.datasets import TEST, TRAIN, VALIDATION
from spoke_kit.pipeline import training
from spoke_kit.tasks import Json, TaskContext, task

from .. import spine
from . import MODEL

#: What the version's prediction is called.
OUTPUT = "PREDICTED_FILL_RATE"


@task
def train_model(context: TaskContext) -> Json:
    """Returns the version and its metrics."""
    prepared = context.result_of("PREPARE_DATA")
    frames = training.read_splits(context, prepared, spine.KEYS)
    model, found = fit(frames, dict(context.manifest.models[MODEL].parameters))
    columns = feature_columns(frames[TRAIN])
    sample = frames[TRAIN][columns].astype(float).head(100)
    return training.log(
        context,
        MODEL,
        model,
        prepared,
        rows={split: len(frame) for split, frame in frames.items()},
        columns=columns,
        signature=model_signature.infer_signature(
            sample.fillna(0.0), pd.DataFrame({OUTPUT: model.predict(sample).astype(float)})
        ),
        metrics=found,
    )


def feature_columns(frame: pd.DataFrame) -> list[str]:
    """Every column that is neither key, timestamp nor label."""
    return [column for column in frame.columns if column not in spine.OTHER]


def fit(
    frames: dict[str, pd.DataFrame], parameters: dict[str, Any]
) -> tuple[xgb.XGBRegressor, dict[str, float]]:
    """Fit on the train split with as many trees as serve the validation split, then on both with that many.

    ``frames`` holds a frame of features and label for each split. Returns the model and its metrics: ``mae``,
    ``rmse``, … and the naive forecasts' on the test split, ``validation_…`` of the first fit.
    """
    columns = feature_columns(frames[TRAIN])
    inputs = {split: frame[columns].astype(float) for split, frame in frames.items()}
    labels = {split: frame[spine.LABEL].astype(float) for split, frame in frames.items()}

    trial = xgb.XGBRegressor(**parameters)
    trial.fit(
        inputs[TRAIN], labels[TRAIN], eval_set=[(inputs[VALIDATION], labels[VALIDATION])], verbose=False
    )
    final = {key: value for key, value in parameters.items() if key != "early_stopping_rounds"}
    model = xgb.XGBRegressor(**{**final, "n_estimators": trial.best_iteration + 1})
    model.fit(pd.concat([inputs[TRAIN], inputs[VALIDATION]]), pd.concat([labels[TRAIN], labels[VALIDATION]]))

    validation = metrics.errors(labels[VALIDATION], trial.predict(inputs[VALIDATION]))
    test = metrics.errors(labels[TEST], model.predict(inputs[TEST]))
    naive = metrics.naive_errors(
        labels[TEST], inputs[TEST]["FILL_RATE_LAG_7D"], inputs[TEST]["FILL_RATE_7D_AVG"]
    )
    found = {
        **test,
        **naive,
        "naive_ratio": test["mae"] / naive["naive_mae"],
        "trees": float(trial.best_iteration + 1),
        **{f"validation_{name}": value for name, value in validation.items()},
    }
    return model, metrics.rounded(found)
