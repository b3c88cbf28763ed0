"""The classifier, and how good it is on the test weeks beside what rates alone would say."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xgboost as xgb
from spoke_kit import metrics
from spoke_kit.datasets import TEST, TRAIN, VALIDATION

from .. import spine

#: What the version's two probabilities are called.
NO_MISS, OUTPUT = "PREDICTED_HIT", "PREDICTED_MISS"
#: The rates that the model has to beat, besides the one of all.
NAIVE_GROUPS = ("DISTRICT", "DAY_OF_WEEK", "SIZE_CLASS")


def feature_columns(frame: pd.DataFrame) -> list[str]:
    """Every column that is neither key, timestamp nor label."""
    return [column for column in frame.columns if column not in spine.OTHER]


def fit(
    frames: dict[str, pd.DataFrame], parameters: dict[str, Any]
) -> tuple[xgb.XGBClassifier, dict[str, float]]:
    """Fit on the train split with as many trees as serve the validation split, then on both with that many.

    ``frames`` holds a frame of features and label for each split. Returns the model and its metrics on the test
    split, those of the naive rates of the days before, and ``validation_…`` of the first fit.
    """
    columns = feature_columns(frames[TRAIN])
    inputs = {split: frame[columns].astype(float) for split, frame in frames.items()}
    labels = {split: frame[spine.LABEL].astype(int) for split, frame in frames.items()}

    trial = xgb.XGBClassifier(**parameters)
    trial.fit(
        inputs[TRAIN], labels[TRAIN], eval_set=[(inputs[VALIDATION], labels[VALIDATION])], verbose=False
    )
    final = {key: value for key, value in parameters.items() if key != "early_stopping_rounds"}
    model = xgb.XGBClassifier(**{**final, "n_estimators": trial.best_iteration + 1})
    model.fit(pd.concat([inputs[TRAIN], inputs[VALIDATION]]), pd.concat([labels[TRAIN], labels[VALIDATION]]))

    before = pd.concat([frames[TRAIN], frames[VALIDATION]])
    test = metrics.probability_errors(labels[TEST], model.predict_proba(inputs[TEST])[:, 1])
    naive = metrics.naive_log_losses(before, frames[TEST], spine.LABEL, NAIVE_GROUPS)
    validation = metrics.probability_errors(labels[VALIDATION], trial.predict_proba(inputs[VALIDATION])[:, 1])
    found = {
        **test,
        **naive,
        "naive_ratio": test["log_loss"] / naive["naive_log_loss"],
        "trees": float(trial.best_iteration + 1),
        **{f"validation_{name}": value for name, value in validation.items()},
    }
    return model, metrics.rounded(found)
