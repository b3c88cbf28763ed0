"""Where predictions are wrong, and how: aggregates whose size does not grow with the number of rows."""

from __future__ import annotations

from datetime import date

from services.predictions.reader import Reader, Row
from services.predictions.relation import Relation
from services.predictions.repository import mean, number, recent
from services.predictions.types import Cell, ClassPair, Confusion, Part, ScoreBin
from services.snowflake.recent import Answers
from spoke_kit.manifest import Grain, PredictionKind

# The values of a group that are shown, the most frequent ones; cells of each axis; bins of scores.
MOST_VALUES = 30
CELLS = 45
SCORE_BINS = 100
CALIBRATION_BINS = 10
MOST_PAIRS = 200


class Diagnosis:
    """Reads aggregates of the scored rows of the last days."""

    def __init__(self, source: Answers) -> None:
        self._reader = Reader(source)

    def scope(self, relation: Relation, days: int, threshold: float) -> tuple[Row | None, Confusion | None]:
        """LAST_DAY and N, and the confusion at the threshold where probabilities are predicted."""
        binary = relation.contract.kind is PredictionKind.BINARY
        said = "PREDICTED >= %s" if binary else "PREDICTED IS NOT NULL"
        cells = ", ".join(
            f"SUM(CASE WHEN {said if yes else f'NOT ({said})'} THEN W * {share} ELSE 0 END) AS {name}"
            for name, yes, share in (
                ("TP", True, "ACTUAL"),
                ("FP", True, "(1 - ACTUAL)"),
                ("FN", False, "ACTUAL"),
                ("TN", False, "(1 - ACTUAL)"),
            )
        )
        row = self._reader.one(
            relation,
            f"SELECT COUNT(*) AS N, MAX(DAY) AS LAST_DAY{', ' + cells if binary else ''}"
            f" FROM {relation.scored} AS R WHERE {recent(relation)}",
            (*((threshold,) * 4 if binary else ()), -days),
        )
        if row is None or not row["N"] or not binary:
            return row, None
        found = Confusion(threshold, float(row["TP"]), float(row["FP"]), float(row["FN"]), float(row["TN"]))
        return row, found

    def parts(self, relation: Relation, days: int) -> tuple[Part, ...]:
        """By weekday or hour, and by each group."""
        bias = mean("PREDICTED - ACTUAL") if _numbers(relation) else "NULL"
        hourly = relation.contract.grain is Grain.HOUR
        breakdowns = [("hour", "TO_VARCHAR(HOUR(T))")] if hourly else []
        breakdowns.append(("weekday", "TO_VARCHAR(DAYOFWEEKISO(T))"))
        breakdowns += [(f"G{place}", f"G{place}") for place, _ in enumerate(relation.contract.groups)]
        branches = " UNION ALL ".join(
            f"(SELECT '{by}' AS PART, {value} AS VALUE, COUNT(*) AS N, {mean('LOSS')} AS MEAN_LOSS,"
            f" {mean('NAIVE_LOSS')} AS MEAN_NAIVE, {bias} AS BIAS"
            f" FROM S GROUP BY {value} ORDER BY N DESC, {value} LIMIT {MOST_VALUES})"
            for by, value in breakdowns
        )
        rows = self._reader.rows(relation, f"WITH S AS ({_recent(relation)}) {branches}", (-days,))
        groups = {f"G{place}": column for place, column in enumerate(relation.contract.groups)}
        found = [
            Part(
                groups.get(str(row["PART"]), str(row["PART"])),
                row["VALUE"],
                int(row["N"]),
                number(row["MEAN_LOSS"]),
                number(row["MEAN_NAIVE"]),
                number(row["BIAS"]),
            )
            for row in rows
        ]
        order = ["hour", "weekday", *relation.contract.groups]
        return tuple(sorted(found, key=lambda part: (order.index(part.by), _in_order(part))))

    def cells(self, relation: Relation, days: int) -> tuple[Cell, ...]:
        """Numbers in a grid of predicted by actual, the cells that hold any."""
        rows = self._reader.rows(
            relation,
            f"""WITH S AS ({_recent(relation)}),
E AS (
  SELECT MIN(LEAST(PREDICTED, ACTUAL)) AS LOW,
    NULLIF(MAX(GREATEST(PREDICTED, ACTUAL)) - MIN(LEAST(PREDICTED, ACTUAL)), 0) AS WIDTH FROM S
)
SELECT COUNT(*) AS N, SUM(W) AS WEIGHT, AVG(PREDICTED) AS MEAN_PREDICTED, AVG(ACTUAL) AS MEAN_ACTUAL FROM S CROSS JOIN E
GROUP BY FLOOR((PREDICTED - LOW) / WIDTH * {CELLS}), FLOOR((ACTUAL - LOW) / WIDTH * {CELLS})
ORDER BY MEAN_PREDICTED, MEAN_ACTUAL LIMIT {(CELLS + 1) ** 2}""",
            (-days,),
        )
        return tuple(
            Cell(int(row["N"]), float(row["WEIGHT"]), float(row["MEAN_PREDICTED"]), float(row["MEAN_ACTUAL"]))
            for row in rows
        )

    def calibration(self, relation: Relation, days: int) -> tuple[ScoreBin, ...]:
        """Bins of equal width from 0 to 1, the lowest first; those that hold any."""
        last = CALIBRATION_BINS - 1
        return self._bins(relation, days, f"LEAST(FLOOR(PREDICTED * {CALIBRATION_BINS}), {last})", "ASC")

    def scores(self, relation: Relation, days: int) -> tuple[ScoreBin, ...]:
        """Bins of about equal number, the highest first; equal probabilities have one rank, so one bin."""
        rank = "RANK() OVER (ORDER BY PREDICTED DESC) - 1"
        return self._bins(relation, days, f"FLOOR(({rank}) * {SCORE_BINS} / COUNT(*) OVER ())", "DESC")

    def classes(self, relation: Relation, days: int) -> tuple[ClassPair, ...]:
        """Actual by predicted class, the most frequent pairs."""
        rows = self._reader.rows(
            relation,
            f"SELECT ACTUAL, PREDICTED, COUNT(*) AS N FROM ({_recent(relation)}) AS S"
            f" GROUP BY ACTUAL, PREDICTED ORDER BY N DESC, ACTUAL, PREDICTED LIMIT {MOST_PAIRS}",
            (-days,),
        )
        return tuple(ClassPair(row["ACTUAL"], row["PREDICTED"], int(row["N"])) for row in rows)

    def _bins(self, relation: Relation, days: int, place: str, direction: str) -> tuple[ScoreBin, ...]:
        rows = self._reader.rows(
            relation,
            f"SELECT COUNT(*) AS N, MIN(PREDICTED) AS LOW, MAX(PREDICTED) AS HIGH, SUM(W) AS WEIGHT,"
            f" {mean('PREDICTED')} AS MEAN, SUM(W * ACTUAL) AS ONES"
            f" FROM (SELECT S.*, {place} AS BIN FROM ({_recent(relation)}) AS S) AS X"
            f" GROUP BY BIN ORDER BY LOW {direction}",
            (-days,),
        )
        return tuple(
            ScoreBin(
                int(row["N"]),
                float(row["LOW"]),
                float(row["HIGH"]),
                float(row["WEIGHT"]),
                float(row["MEAN"] if row["MEAN"] is not None else row["LOW"]),
                float(row["ONES"]),
            )
            for row in rows
        )


def last_day(row: Row | None) -> date | None:
    """LAST_DAY of ``Diagnosis.scope``."""
    return row["LAST_DAY"] if row else None


def _recent(relation: Relation) -> str:
    return f"SELECT * FROM {relation.scored} AS R WHERE {recent(relation)}"


def _numbers(relation: Relation) -> bool:
    return relation.contract.kind is not PredictionKind.MULTICLASS


def _in_order(part: Part) -> tuple[int, str]:
    timely = part.by in ("hour", "weekday") and (part.value or "").isdigit()
    return (int(part.value or 0), "") if timely else (0, part.value or "")
