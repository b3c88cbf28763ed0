"""Evaluations and diagnostics against scikit-learn and pandas over the same rows."""

from __future__ import annotations

import math
import warnings
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prediction_tables import FIRST, SETTINGS, put
from sklearn import metrics

from services.predictions.diagnosing import Diagnosis
from services.predictions.evaluating import EvaluatedDays

numbers = st.floats(-50, 50).map(lambda value: round(value, 3))
# Few values, so that many are tied.
probabilities = st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.3000001, 0.5, 0.7, 0.95, 1.0])
weights = st.sampled_from([0.0, 0.5, 1.0, 3.0])


REGRESSION = {
    "id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT", "naive": "NUMBER(12, 3)",
    "lower": "FLOAT", "upper": "FLOAT", "weight": "FLOAT", "version": "VARCHAR",
}  # fmt: skip


@st.composite
def regressions(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    rows = []
    for at in range(draw(st.integers(0, 25))):
        predicted = draw(numbers)
        half = draw(st.floats(0, 40).map(lambda value: round(value, 2)))
        rows.append(
            (
                at,
                FIRST + timedelta(days=draw(st.integers(0, 2))),
                predicted,
                draw(st.none() | numbers),
                draw(st.none() | numbers),
                predicted - half,
                predicted + half,
                draw(weights),
                draw(st.sampled_from(["A", "B"])),
            )
        )
    return rows


def weighted(values: pd.Series, weight: pd.Series) -> float | None:
    known = values.notna()
    total = float(weight[known].sum())
    return float((values[known] * weight[known]).sum()) / total if total else None


@SETTINGS
@given(rows=regressions())
def test_regression_is_that_of_pandas(
    run: Any, table: str, relation: Any, copied: Any, history: Any, rows: list[tuple[Any, ...]]
) -> None:
    put(run, table, REGRESSION, rows)
    made = relation(
        naive="naive", lower="lower", upper="upper", weight="weight", model_version="version",
        alert={"levels": {"gone": 20, "low": 5}},
    )  # fmt: skip
    found = EvaluatedDays(history).newest(copied(made), 60)
    frame = pd.DataFrame(rows, columns=list(REGRESSION)).astype({"actual": float, "naive": float})
    frame = frame[frame.actual.notna()]
    assert [(one.day, one.model_version) for one in found] == sorted(
        {(row.day, row.version) for row in frame.itertuples()}, key=lambda at: (-at[0].toordinal(), at[1])
    )
    for one in found:
        part = frame[(frame.day == one.day) & (frame.version == one.model_version)]
        error = part.predicted - part.actual
        said, was = part.weight[part.predicted >= 5].sum(), part.weight[part.actual >= 5].sum()
        both = part.weight[(part.predicted >= 5) & (part.actual >= 5)].sum()
        square = weighted(error**2, part.weight)
        expected = {
            "n": len(part),
            "mae": weighted(error.abs(), part.weight),
            "rmse": None if square is None else math.sqrt(square),
            "bias": weighted(error, part.weight),
            "naive_mae": weighted((part.naive - part.actual).abs(), part.weight),
            "mean_predicted": weighted(part.predicted, part.weight),
            "mean_actual": weighted(part.actual, part.weight),
            "coverage": weighted(part.actual.between(part.lower, part.upper).astype(float), part.weight),
            "alert_precision": both / said if said else None,
            "alert_recall": both / was if was else None,
        }
        assert {name: getattr(one, name) for name in expected} == pytest.approx(expected, abs=1e-9)


BINARY = {
    "id": "INTEGER",
    "day": "DATE",
    "predicted": "FLOAT",
    "actual": "BOOLEAN",
    "naive": "FLOAT",
    "weight": "FLOAT",
}


@SETTINGS
@given(
    rows=st.lists(
        st.tuples(probabilities, st.none() | st.booleans(), st.none() | probabilities, weights), max_size=40
    )
)
def test_probabilities_are_those_of_scikit_learn(
    run: Any, table: str, relation: Any, copied: Any, history: Any, rows: list[tuple[Any, ...]]
) -> None:
    put(run, table, BINARY, [(at, FIRST, *row) for at, row in enumerate(rows)])
    made = relation(kind="binary_classification", naive="naive", weight="weight", threshold=0.3)
    found = EvaluatedDays(history).newest(copied(made), 60)
    frame = pd.DataFrame(rows, columns=["p", "y", "naive", "w"])
    frame = frame[frame.y.notna()].astype({"y": float, "naive": float})
    if frame.empty:
        assert found == ()
        return
    (one,) = found
    assert (one.day, one.n) == (FIRST, len(frame))
    if not frame.w.sum():
        assert (one.auc, one.brier, one.log_loss, one.calibration_error) == (None, None, None, None)
        return
    said = (frame.p >= 0.3).astype(float)
    naive = frame[frame.naive.notna()]
    bins = (frame.p * 10).astype(int).clip(upper=9)
    gaps = sum(abs((part.w * (part.p - part.y)).sum()) for _, part in frame.groupby(bins))
    both_classes = frame[frame.w > 0].y.nunique() == 2
    expected = {
        "log_loss": log_loss(frame.y, frame.p, frame.w),
        "naive_log_loss": log_loss(naive.y, naive.naive, naive.w) if naive.w.sum() else None,
        "brier": float((frame.w * (frame.p - frame.y) ** 2).sum() / frame.w.sum()),
        "auc": metrics.roc_auc_score(frame.y, frame.p, sample_weight=frame.w) if both_classes else None,
        "base_rate": weighted(frame.y, frame.w),
        "accuracy": metrics.accuracy_score(frame.y, said, sample_weight=frame.w),
        "alert_precision": share(frame.w * frame.y * said, frame.w * said),
        "alert_recall": share(frame.w * frame.y * said, frame.w * frame.y),
        "calibration_error": gaps / frame.w.sum(),
    }
    assert {name: getattr(one, name) for name in expected} == pytest.approx(expected, abs=1e-9)


def log_loss(actual: pd.Series, predicted: pd.Series, weight: pd.Series) -> float:
    clipped = predicted.clip(1e-15, 1)
    opposite = (1 - predicted).clip(1e-15, 1)
    each = -(actual * clipped.map(math.log) + (1 - actual) * opposite.map(math.log))
    return float((each * weight).sum() / weight.sum())


def share(part: pd.Series, whole: pd.Series) -> float | None:
    return float(part.sum() / whole.sum()) if whole.sum() else None


def test_log_loss_without_extremes_is_that_of_scikit_learn() -> None:
    actual, predicted = pd.Series([1, 0, 1.0]), pd.Series([0.2, 0.3, 0.9])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = metrics.log_loss(actual, predicted)
    assert log_loss(actual, predicted, pd.Series([1.0, 1, 1])) == pytest.approx(theirs)


@SETTINGS
@given(rows=st.lists(st.tuples(probabilities, st.booleans()), min_size=1, max_size=300))
def test_score_bins_hold_everything_and_keep_ties_together(
    run: Any, table: str, relation: Any, copied: Any, history: Any, rows: list[tuple[float, bool]]
) -> None:
    put(
        run,
        table,
        BINARY,
        [(at, FIRST, predicted, actual, None, 1.0) for at, (predicted, actual) in enumerate(rows)],
    )
    made = copied(relation(kind="binary_classification"))
    diagnosis = Diagnosis(history.rows)
    bins = diagnosis.scores(made, 28)
    assert len(bins) <= 100
    assert [one.low for one in bins] == sorted((one.low for one in bins), reverse=True)
    assert (sum(one.n for one in bins), sum(one.positive for one in bins)) == (
        len(rows),
        sum(actual for _, actual in rows),
    )
    assert all(upper.low > lower.high for upper, lower in pairwise(bins))
    assert diagnosis.scope(made, 28) == (FIRST, len(rows))
    confusion = diagnosis.confusion(made, 28, 0.3)
    assert confusion is not None
    table_of = metrics.confusion_matrix(
        [actual for _, actual in rows], [predicted >= 0.3 for predicted, _ in rows], labels=[False, True]
    )
    assert [
        [confusion.true_negative, confusion.false_positive],
        [confusion.false_negative, confusion.true_positive],
    ] == table_of.tolist()


def test_classes(run: Any, table: str, relation: Any, copied: Any, history: Any) -> None:
    columns = {
        "id": "INTEGER",
        "day": "DATE",
        "predicted": "VARCHAR",
        "actual": "VARCHAR",
        "naive": "VARCHAR",
    }
    rows = [(1, "a", "a", "a"), (2, "b", "a", None), (3, "a", "a", "b"), (4, "c", None, "c")]
    put(run, table, columns, [(at, FIRST, *row) for at, *row in rows])
    made = copied(relation(kind="multiclass_classification", naive="naive"))
    (one,) = EvaluatedDays(history).newest(made, 60)
    assert (one.n, one.accuracy, one.naive_accuracy) == (3, pytest.approx(2 / 3), 0.5)
    assert [(pair.actual, pair.predicted, pair.n) for pair in Diagnosis(history.rows).classes(made, 28)] == [
        ("a", "a", 2),
        ("a", "b", 1),
    ]


def test_parts_and_cells(run: Any, table: str, relation: Any, copied: Any, history: Any) -> None:
    columns = {
        "id": "INTEGER",
        "day": "DATE",
        "predicted": "FLOAT",
        "actual": "FLOAT",
        "kind of % shop": "VARCHAR",
    }
    monday = FIRST
    put(
        run,
        table,
        columns,
        [
            (1, monday, 5.0, 4.0, "big"),
            (2, monday, 5.0, 8.0, None),
            (3, monday + timedelta(days=1), 2.0, 2.0, "big"),
            (4, monday - timedelta(days=40), 9.0, 1.0, "big"),
        ],
    )
    made = copied(relation(groups=["kind of % shop"]))
    diagnosis = Diagnosis(history.rows)
    assert [(part.by, part.value, part.n, part.loss, part.bias) for part in diagnosis.parts(made, 28)] == [
        ("weekday", "1", 2, 2.0, -1.0),
        ("weekday", "2", 1, 0.0, 0.0),
        ("kind of % shop", None, 1, 3.0, -3.0),
        ("kind of % shop", "big", 2, 0.5, 0.5),
    ]
    cells = diagnosis.cells(made, 28)
    assert sorted((cell.n, cell.predicted, cell.actual) for cell in cells) == [
        (1, 2.0, 2.0), (1, 5.0, 4.0), (1, 5.0, 8.0),
    ]  # fmt: skip
