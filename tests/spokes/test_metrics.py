"""Errors of a forecast and of the naive ones, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke_kit import metrics

NAN = float("nan")


def test_errors_by_hand() -> None:
    assert metrics.errors([1.0, 0.0, 0.5], [0.5, 0.5, 0.5]) == pytest.approx(
        {"mae": 1 / 3, "rmse": (0.5 / 3) ** 0.5, "mean_squared": 0.5 / 3, "bias": 0.0}
    )


def test_naive_errors_stand_in_for_each_other() -> None:
    found = metrics.naive_errors([1.0, 1.0, 1.0, 1.0], [0.5, NAN, 0.8, NAN], [0.9, 0.6, NAN, NAN])
    # weekday: 0.5, 0.4 (the mean), 0.2; mean: 0.1, 0.4, 0.2 (the weekday); the last has neither
    assert found == pytest.approx(
        {"naive_weekday_mae": 1.1 / 3, "naive_mean7_mae": 0.7 / 3, "naive_mae": 0.7 / 3}
    )


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=50))
def test_rmse_is_at_least_mae_and_bias_at_most(pairs: list[tuple[float, float]]) -> None:
    actual, predicted = np.array(pairs).T
    found = metrics.errors(actual, predicted)
    assert abs(found["bias"]) <= found["mae"] + 1e-12
    assert found["mae"] <= found["rmse"] + 1e-12
