"""Errors of a forecast and of the naive ones, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke_kit import metrics
from spoke_kit.config import Gates
from spokes.pudo.training.quality import failed_gates

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


@pytest.mark.parametrize(
    ("found", "failed"),
    [
        ({"mean_squared": 0.05, "mae": 0.08, "naive_mae": 0.10}, []),
        ({"mean_squared": 0.06, "mae": 0.08, "naive_mae": 0.10}, ["mean_squared 0.0600 is above 0.05"]),
        (
            {"mean_squared": 0.01, "mae": 0.081, "naive_mae": 0.10},
            ["mae 0.0810 is above 0.0800, 0.8 of the naive forecast's"],
        ),
        (
            {"mean_squared": NAN, "mae": NAN, "naive_mae": 0.10},
            ["mean_squared nan is above 0.05", "mae nan is above 0.0800, 0.8 of the naive forecast's"],
        ),
    ],
)
def test_gates(found: dict[str, float], failed: list[str]) -> None:
    assert failed_gates(found, Gates(maximum={"mean_squared": 0.05}, naive_ratio=0.8)) == failed
