"""Errors of a forecast or a probability, and of the naive ones that it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

FloatArray = Any


def errors(actual: FloatArray, predicted: FloatArray) -> dict[str, float]:
    """``mae``, ``rmse``, ``mean_squared`` and ``bias`` (predicted minus actual), in the unit of the label."""
    difference = np.asarray(predicted, float) - np.asarray(actual, float)
    squared = float(np.mean(difference**2))
    return {
        "mae": float(np.mean(np.abs(difference))),
        "rmse": squared**0.5,
        "mean_squared": squared,
        "bias": float(np.mean(difference)),
    }


def naive_errors(actual: FloatArray, same_weekday: FloatArray, mean_7_days: FloatArray) -> dict[str, float]:
    """MAE of both naive forecasts, and ``naive_mae`` of the better one.

    Where one has no value (the point was closed then) the other stands in, and rows with neither are left out
    of both, so that the two are judged on the same rows.
    """
    actual, weekday, mean = (np.asarray(values, float) for values in (actual, same_weekday, mean_7_days))
    weekday = np.where(np.isnan(weekday), mean, weekday)
    mean = np.where(np.isnan(mean), weekday, mean)
    known = ~np.isnan(weekday)
    weekday_mae = float(np.mean(np.abs(weekday[known] - actual[known])))
    mean_mae = float(np.mean(np.abs(mean[known] - actual[known])))
    return {
        "naive_mae": min(weekday_mae, mean_mae),
        "naive_weekday_mae": weekday_mae,
        "naive_mean7_mae": mean_mae,
    }


def probability_errors(actual: FloatArray, predicted: FloatArray, bins: int = 10) -> dict[str, float]:
    """``log_loss``, ``brier``, ``roc_auc`` and ``expected_calibration_error`` of probabilities; actuals are 0 or 1.

    The calibration error is the mean distance between predicted and real share in ``bins`` equally wide bins,
    weighted by their rows (Guo et al. 2017, On Calibration of Modern Neural Networks). Where all actuals are
    alike ``roc_auc`` is 0.5.
    """
    actual, predicted = np.asarray(actual, float), np.asarray(predicted, float)
    bin_of = np.minimum((predicted * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, predicted - actual, minlength=bins)
    return {
        "log_loss": log_loss(actual, predicted),
        "brier": float(np.mean((predicted - actual) ** 2)),
        "roc_auc": _roc_auc(actual, predicted),
        "expected_calibration_error": float(np.abs(gaps).sum() / len(actual)),
    }


def log_loss(actual: FloatArray, predicted: FloatArray) -> float:
    """Mean negative log-likelihood in nats; probabilities are kept 1e-6 away from 0 and 1."""
    sure = np.clip(np.asarray(predicted, float), 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(np.asarray(actual, float) > 0.5, np.log(sure), np.log(1 - sure))))


def naive_log_losses(
    known: pd.DataFrame, asked: pd.DataFrame, label: str, groups: Sequence[str]
) -> dict[str, float]:
    """What the rate of ``label`` in ``known`` says of ``asked``: overall and by each of ``groups``.

    ``naive_<group>_log_loss`` of each, and ``naive_log_loss`` of the best.
    """
    overall = float(known[label].mean())
    found = {"naive_overall_log_loss": log_loss(asked[label], np.full(len(asked), overall))}
    for group in groups:
        rates = asked[group].map(known.groupby(group)[label].mean()).fillna(overall)
        found[f"naive_{group.lower()}_log_loss"] = log_loss(asked[label], rates)
    return {"naive_log_loss": min(found.values()), **found}


def _roc_auc(actual: FloatArray, predicted: FloatArray) -> float:
    """The chance that one that happened was given more than one that did not; equal ones count half."""
    positive = int(actual.sum())
    negative = len(actual) - positive
    if not positive or not negative:
        return 0.5
    ranks = pd.Series(predicted).rank().to_numpy()
    return float((ranks[actual > 0.5].sum() - positive * (positive + 1) / 2) / (positive * negative))


def rounded(values: dict[str, float], digits: int = 6) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}
