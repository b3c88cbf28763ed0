"""Where predictions are wrong, and how: aggregates whose size does not grow with the number of rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from services.predictions.copied import Asks, Copy
from services.predictions.rows import mean, number, numeric
from services.predictions.types import Cell, ClassPair, Confusion, Declared, Diagnostics, Part, ScoreBin
from spoke_kit.manifest import Grain, PredictionKind

# The values of a group that are shown, the most frequent ones; cells of each axis; bins of scores.
MOST_VALUES = 30
CELLS = 45
SCORE_BINS = 100
CALIBRATION_BINS = 10
MOST_PAIRS = 200
# Ranks are taken within parts of the probabilities, and only where a bin ends in one.
_PARTS = 65_536


class Diagnosis:
    """Reads aggregates of the scored rows of the last days of a copy."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks

    def scope(self, copy: Copy, days: int) -> tuple[date | None, int]:
        """The last day with actuals, and how many predictions of the days have one."""
        (row,) = self._asks(
            "SELECT MAX(day) AS LAST, COALESCE(SUM(scored), 0) AS N FROM prediction_times WHERE copy_id = ?"
            " AND scored > 0 AND day > (SELECT MAX(day) - ? FROM prediction_times WHERE copy_id = ? AND scored > 0)",
            (copy.id, days, copy.id),
        )
        return row["LAST"], int(row["N"])

    def confusion(self, copy: Copy, days: int, threshold: float) -> Confusion | None:
        """Weights at the threshold; None without actuals."""
        cells = ", ".join(
            f"SUM(CASE WHEN {'' if yes else 'NOT '}(PREDICTED >= ?) THEN W * {share} ELSE 0 END) AS {name}"
            for name, yes, share in (
                ("TP", True, "ACTUAL"),
                ("FP", True, "(1 - ACTUAL)"),
                ("FN", False, "ACTUAL"),
                ("TN", False, "(1 - ACTUAL)"),
            )
        )
        rows, bound = self._recent(copy, days)
        (row,) = self._asks(f"SELECT COUNT(*) AS N, {cells} FROM ({rows}) AS S", (*(threshold,) * 4, *bound))
        if not row["N"]:
            return None
        return Confusion(threshold, row["TP"], row["FP"], row["FN"], row["TN"])

    def parts(self, copy: Copy, days: int) -> tuple[Part, ...]:
        """By weekday or hour, and by each group."""
        bias = mean("PREDICTED - ACTUAL") if numeric(copy) else "NULL"
        hourly = copy.contract.grain is Grain.HOUR
        breakdowns = [("hour", "CAST(HOUR(T) AS VARCHAR)")] if hourly else []
        breakdowns.append(("weekday", "CAST(ISODOW(T) AS VARCHAR)"))
        breakdowns += [(f"G{place}", f"G{place}") for place, _ in enumerate(copy.contract.groups)]
        branches = " UNION ALL ".join(
            f"(SELECT '{by}' AS PART, {value} AS VALUE, COUNT(*) AS N, {mean('LOSS')} AS MEAN_LOSS,"
            f" {mean('NAIVE_LOSS')} AS MEAN_NAIVE, {bias} AS BIAS"
            f" FROM S GROUP BY {value} ORDER BY N DESC, {value} NULLS LAST LIMIT {MOST_VALUES})"
            for by, value in breakdowns
        )
        rows, bound = self._recent(copy, days)
        found = self._asks(f"WITH S AS ({rows}) {branches}", bound)
        groups = {f"G{place}": column for place, column in enumerate(copy.contract.groups)}
        parts = [
            Part(
                groups.get(str(row["PART"]), str(row["PART"])),
                row["VALUE"],
                int(row["N"]),
                number(row["MEAN_LOSS"]),
                number(row["MEAN_NAIVE"]),
                number(row["BIAS"]),
            )
            for row in found
        ]
        order = ["hour", "weekday", *copy.contract.groups]
        return tuple(sorted(parts, key=lambda part: (order.index(part.by), _in_order(part))))

    def cells(self, copy: Copy, days: int) -> tuple[Cell, ...]:
        """Numbers in a grid of predicted by actual, the cells that hold any."""
        rows, bound = self._recent(copy, days)
        (edge,) = self._asks(
            "SELECT MIN(LEAST(PREDICTED, ACTUAL)) AS LOW, MAX(GREATEST(PREDICTED, ACTUAL)) AS HIGH"
            f" FROM ({rows}) AS S",
            bound,
        )
        if edge["LOW"] is None:
            return ()
        low, width = edge["LOW"], (edge["HIGH"] - edge["LOW"]) or None
        # The cell as one small number: of both numbers of a row, by which rows are grouped.
        place = " * 100 + ".join(
            f"COALESCE(CAST(FLOOR(({value} - ?) / ? * {CELLS}) AS INTEGER), 0)"
            for value in ("PREDICTED", "ACTUAL")
        )
        found = self._asks(
            f"SELECT {place} AS PLACE, COUNT(*) AS N, SUM(W) AS WEIGHT, AVG(PREDICTED) AS MEAN_PREDICTED,"
            f" AVG(ACTUAL) AS MEAN_ACTUAL FROM ({rows}) AS S GROUP BY PLACE"
            f" ORDER BY MEAN_PREDICTED, MEAN_ACTUAL LIMIT {(CELLS + 1) ** 2}",
            (low, width, low, width, *bound),
        )
        return tuple(
            Cell(int(row["N"]), row["WEIGHT"], row["MEAN_PREDICTED"], row["MEAN_ACTUAL"]) for row in found
        )

    def calibration(self, copy: Copy, days: int) -> tuple[ScoreBin, ...]:
        """Bins of equal width from 0 to 1, the lowest first; those that hold any."""
        rows, bound = self._recent(copy, days)
        place = f"LEAST(FLOOR(PREDICTED * {CALIBRATION_BINS}), {CALIBRATION_BINS - 1})"
        return self._bins(f"SELECT PREDICTED, ACTUAL, W, {place} AS BIN FROM ({rows}) AS S", bound, "ASC")

    def scores(self, copy: Copy, days: int) -> tuple[ScoreBin, ...]:
        """Bins of about equal number, the highest first; equal probabilities have one rank, so one bin."""
        rows, bound = self._recent(copy, days)
        part = f"FLOOR(PREDICTED * {_PARTS})"
        text = f"""WITH S AS (SELECT PREDICTED, ACTUAL, W FROM ({rows}) AS R),
P AS (SELECT {part} AS PART, COUNT(*) AS N FROM S GROUP BY ALL),
C AS (SELECT PART, N, SUM(N) OVER (ORDER BY PART DESC) - N AS ABOVE, SUM(N) OVER () AS TOTAL FROM P),
E AS (
  SELECT PART, ABOVE, TOTAL, ABOVE * {SCORE_BINS} // TOTAL AS FIRST,
    (ABOVE + N - 1) * {SCORE_BINS} // TOTAL AS LAST FROM C
)
SELECT PREDICTED, ACTUAL, W, FIRST AS BIN FROM S JOIN E ON PART = {part} WHERE FIRST = LAST
UNION ALL
SELECT PREDICTED, ACTUAL, W,
  (ABOVE + RANK() OVER (PARTITION BY PART ORDER BY PREDICTED DESC) - 1) * {SCORE_BINS} // TOTAL AS BIN
FROM S JOIN E ON PART = {part} WHERE FIRST <> LAST"""
        return self._bins(text, bound, "DESC")

    def classes(self, copy: Copy, days: int) -> tuple[ClassPair, ...]:
        """Actual by predicted class, the most frequent pairs."""
        rows, bound = self._recent(copy, days)
        found = self._asks(
            f"SELECT ACTUAL, PREDICTED, COUNT(*) AS N FROM ({rows}) AS S"
            f" GROUP BY ACTUAL, PREDICTED ORDER BY N DESC, ACTUAL, PREDICTED LIMIT {MOST_PAIRS}",
            bound,
        )
        return tuple(ClassPair(row["ACTUAL"], row["PREDICTED"], int(row["N"])) for row in found)

    def _recent(self, copy: Copy, days: int) -> tuple[str, tuple[Any, ...]]:
        """The scored rows, with what they bind."""
        last, _ = self.scope(copy, days)
        return f"SELECT * FROM {copy.scored} AS R WHERE DAY > ?", ((last or date.max) - timedelta(days),)

    def _bins(self, placed: str, bound: tuple[Any, ...], direction: str) -> tuple[ScoreBin, ...]:
        rows = self._asks(
            "SELECT COUNT(*) AS N, MIN(PREDICTED) AS LOW, MAX(PREDICTED) AS HIGH, SUM(W) AS WEIGHT,"
            f" {mean('PREDICTED')} AS MEAN, SUM(W * ACTUAL) AS ONES FROM ({placed}) AS X"
            f" GROUP BY BIN ORDER BY LOW {direction}",
            bound,
        )
        return tuple(
            ScoreBin(
                int(row["N"]),
                row["LOW"],
                row["HIGH"],
                row["WEIGHT"],
                row["MEAN"] if row["MEAN"] is not None else row["LOW"],
                row["ONES"],
            )
            for row in rows
        )


def diagnose(asks: Asks, one: Declared, copy: Copy, days: int, threshold: float | None = None) -> Diagnostics:
    """All of it; ``threshold`` by default the contract's."""
    diagnosis = Diagnosis(asks)
    last, count = diagnosis.scope(copy, days)
    if not count:
        return Diagnostics(one, days)
    kind = copy.contract.kind
    binary = kind is PredictionKind.BINARY
    at = copy.contract.threshold if threshold is None else threshold
    return Diagnostics(
        one,
        days,
        last,
        count,
        diagnosis.parts(copy, days),
        diagnosis.cells(copy, days) if kind is PredictionKind.REGRESSION else (),
        diagnosis.calibration(copy, days) if binary else (),
        diagnosis.scores(copy, days) if binary else (),
        diagnosis.confusion(copy, days, at) if binary else None,
        diagnosis.classes(copy, days) if kind is PredictionKind.MULTICLASS else (),
    )


def _in_order(part: Part) -> tuple[int, str]:
    timely = part.by in ("hour", "weekday") and (part.value or "").isdigit()
    return (int(part.value or 0), "") if timely else (0, part.value or "")
