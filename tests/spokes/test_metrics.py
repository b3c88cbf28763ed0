"""Errors of a forecast and of the naive ones, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
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


def test_errors_of_probabilities_by_hand() -> None:
    found = metrics.probability_errors([0, 1, 1, 0], [0.1, 0.8, 0.3, 0.3])
    # Pairs (1, 0): 0.8 beats both; 0.3 beats 0.1 and equals 0.3. Bins: 0.1 | 0.3, 0.3 | 0.8.
    assert found == pytest.approx(
        {
            "log_loss": -(math.log(0.9) + math.log(0.8) + math.log(0.3) + math.log(0.7)) / 4,
            "brier": (0.01 + 0.04 + 0.49 + 0.09) / 4,
            "roc_auc": 3.5 / 4,
            "expected_calibration_error": (0.1 + abs(0.6 - 1) + 0.2) / 4,
        }
    )
    assert metrics.probability_errors([1, 1], [0.5, 1.0])["roc_auc"] == 0.5


def test_the_best_naive_rate() -> None:
    known = pd.DataFrame({"Y": [1, 1, 0, 0], "A": [1, 1, 2, 2], "B": [1, 2, 1, 2]})
    asked = pd.DataFrame({"Y": [1, 0, 1], "A": [1, 2, 3], "B": [1, 1, 1]})
    found = metrics.naive_log_losses(known, asked, "Y", ["A", "B"])
    even = math.log(2)
    assert found == pytest.approx(
        {
            "naive_overall_log_loss": even,
            "naive_a_log_loss": even / 3,
            "naive_b_log_loss": even,
            "naive_log_loss": even / 3,
        },
        abs=1e-5,
    )
