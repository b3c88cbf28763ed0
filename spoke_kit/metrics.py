"""Errors of a forecast, and of the naive forecasts that it has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np

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


def rounded(values: dict[str, float], digits: int = 6) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}
