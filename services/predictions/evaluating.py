"""How good each day's predictions were: one statement for each kind, over the roles alone, when a day is copied.

Definitions are scikit-learn's, with weights:
https://scikit-learn.org/stable/modules/model_evaluation.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from services.history import History
from services.predictions.copied import Asks, Copy, Row
from services.predictions.rows import below, levels_of, mean, number
from services.predictions.types import Evaluation
from spoke_kit.manifest import PredictionKind

# Bins of the expected calibration error.
BINS = 10
_USED = "DAY, V, PREDICTED, ACTUAL, W, LOSS, NAIVE_LOSS, LOWER_BOUND, UPPER_BOUND"


class EvaluatedDays:
    """Reads the evaluations that were made of copies."""

    def __init__(self, history: History) -> None:
        self._history = history

    def newest(self, copy: Copy, limit: int) -> tuple[Evaluation, ...]:
        """Of the newest days with actuals, by day and model version, the newest day first."""
        rows = self._history.rows(
            "SELECT day, body FROM prediction_evaluations WHERE copy_id = ?"
            " ORDER BY day DESC, version LIMIT ?",
            (copy.id, limit),
        )
        return tuple(Evaluation(day=row["day"], **json.loads(row["body"])) for row in rows)


def evaluate(asks: Asks, copy: Copy, days: Sequence[date]) -> tuple[Evaluation, ...]:
    """Those of the days that have actuals, by model version."""
    build = {
        PredictionKind.REGRESSION: _of_numbers,
        PredictionKind.BINARY: _of_probabilities,
        PredictionKind.MULTICLASS: _of_classes,
    }[copy.contract.kind]
    text, values = build(copy)
    marks = ", ".join("?" * len(days))
    scored = f"SELECT {_USED} FROM {copy.scored} AS R WHERE DAY IN ({marks})"
    return tuple(_evaluation(copy, row) for row in asks(f"WITH S AS ({scored}) {text}", (*days, *values)))


def body_of(one: Evaluation) -> str:
    """As ``EvaluatedDays`` reads it."""
    return json.dumps({name: value for name, value in asdict(one).items() if name != "day"})


def _of_numbers(copy: Copy) -> tuple[str, tuple[Any, ...]]:
    levels = levels_of(copy)
    precision = recall = "NULL"
    values: tuple[Any, ...] = ()
    if levels:
        beyond = "<=" if below(copy) else ">="
        said, was = f"PREDICTED {beyond} ?", f"ACTUAL {beyond} ?"
        both = f"SUM(CASE WHEN {said} AND {was} THEN W ELSE 0 END)"
        precision = f"{both} / NULLIF(SUM(CASE WHEN {said} THEN W ELSE 0 END), 0)"
        recall = f"{both} / NULLIF(SUM(CASE WHEN {was} THEN W ELSE 0 END), 0)"
        values = (levels[0][1],) * 6
    inside = (
        "CASE WHEN LOWER_BOUND IS NOT NULL AND UPPER_BOUND IS NOT NULL"
        " THEN CASE WHEN ACTUAL BETWEEN LOWER_BOUND AND UPPER_BOUND THEN 1 ELSE 0 END END"
    )
    return (
        f"SELECT DAY, V, COUNT(*) AS N, {mean('PREDICTED')} AS MEAN_PREDICTED, {mean('ACTUAL')} AS MEAN_ACTUAL,"
        f" {mean('LOSS')} AS MEAN_LOSS, {mean('NAIVE_LOSS')} AS MEAN_NAIVE,"
        f" SQRT({mean('LOSS * LOSS')}) AS RMSE, {mean('PREDICTED - ACTUAL')} AS BIAS,"
        f" {mean(inside)} AS COVERAGE, {precision} AS ALERT_PRECISION, {recall} AS ALERT_RECALL"
        " FROM S GROUP BY DAY, V",
        values,
    )


def _of_probabilities(copy: Copy) -> tuple[str, tuple[Any, ...]]:
    said = f"PREDICTED >= {copy.contract.threshold:.17g}"
    right = f"CASE WHEN ({said}) = (ACTUAL = 1) THEN 1 ELSE 0 END"
    squared = "(PREDICTED - ACTUAL) * (PREDICTED - ACTUAL)"
    bin_of = f"LEAST(FLOOR(PREDICTED * {BINS}), {BINS - 1})"
    text = f""", D AS (
  SELECT DAY, V, COUNT(*) AS N, {mean("PREDICTED")} AS MEAN_PREDICTED, {mean("ACTUAL")} AS MEAN_ACTUAL,
    {mean("LOSS")} AS MEAN_LOSS, {mean("NAIVE_LOSS")} AS MEAN_NAIVE, {mean(squared)} AS BRIER,
    {mean("PREDICTED - ACTUAL")} AS BIAS, {mean(right)} AS ACCURACY,
    SUM(CASE WHEN {said} THEN W * ACTUAL ELSE 0 END)
      / NULLIF(SUM(CASE WHEN {said} THEN W ELSE 0 END), 0) AS ALERT_PRECISION,
    SUM(CASE WHEN {said} THEN W * ACTUAL ELSE 0 END) / NULLIF(SUM(W * ACTUAL), 0) AS ALERT_RECALL
  FROM S GROUP BY DAY, V
),
B AS (
  SELECT DAY, V, SUM(GAP) / NULLIF(SUM(WEIGHT), 0) AS CALIBRATION_ERROR FROM (
    SELECT DAY, V, SUM(W) AS WEIGHT, ABS(SUM(W * (PREDICTED - ACTUAL))) AS GAP FROM S
    GROUP BY DAY, V, {bin_of}
  ) AS EACH_BIN GROUP BY DAY, V
),
A AS (
  SELECT DAY, V, SUM(ONES * (BELOW + ZEROS / 2)) / NULLIF(SUM(ONES) * SUM(ZEROS), 0) AS AUC FROM (
    SELECT DAY, V, ONES, ZEROS, COALESCE(SUM(ZEROS) OVER (
      PARTITION BY DAY, V ORDER BY PREDICTED ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS BELOW FROM (
      SELECT DAY, V, PREDICTED, SUM(W * ACTUAL) AS ONES, SUM(W * (1 - ACTUAL)) AS ZEROS
      FROM S GROUP BY DAY, V, PREDICTED
    ) AS SCORES
  ) AS RANKED GROUP BY DAY, V
)
SELECT D.*, B.CALIBRATION_ERROR, A.AUC FROM D
JOIN B ON B.DAY = D.DAY AND B.V = D.V JOIN A ON A.DAY = D.DAY AND A.V = D.V"""
    return text, ()


def _of_classes(copy: Copy) -> tuple[str, tuple[Any, ...]]:
    return (
        f"SELECT DAY, V, COUNT(*) AS N, {mean('LOSS')} AS MEAN_LOSS, {mean('NAIVE_LOSS')} AS MEAN_NAIVE"
        " FROM S GROUP BY DAY, V",
        (),
    )


def _evaluation(copy: Copy, row: Row) -> Evaluation:
    loss, naive = number(row["MEAN_LOSS"]), number(row["MEAN_NAIVE"])
    kind = copy.contract.kind
    numbers = {
        name.lower(): number(found)
        for name, found in row.items()
        if name not in ("DAY", "V", "N", "MEAN_LOSS", "MEAN_NAIVE")
    }
    if kind is PredictionKind.REGRESSION:
        numbers |= {"mae": loss, "naive_mae": naive}
    elif kind is PredictionKind.BINARY:
        numbers |= {"log_loss": loss, "naive_log_loss": naive, "base_rate": number(row["MEAN_ACTUAL"])}
    else:
        numbers |= {
            "accuracy": None if loss is None else 1 - loss,
            "naive_accuracy": None if naive is None else 1 - naive,
        }
    return Evaluation(
        day=row["DAY"],
        model_version=row["V"] or None,
        n=int(row["N"]),
        loss=loss,
        naive_loss=naive,
        **numbers,
    )
