"""Rows of a copy as what is read: keys, groups, features, levels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from services.predictions.copied import Copy, Row
from services.predictions.types import Alert, PlacedRow, Plain, PredictionRow, Value
from spoke_kit.manifest import PredictionKind


def levels_of(copy: Copy) -> tuple[tuple[str, float], ...]:
    """The alert levels, the mildest first; none where classes are predicted."""
    alert = copy.contract.alert
    if alert is None or not numeric(copy):
        return ()
    return tuple(sorted(alert.levels.items(), key=lambda one: one[1], reverse=below(copy)))


def level_at(copy: Copy, predicted: float) -> str | None:
    """The gravest level that a value is at or beyond."""
    found = None
    for name, level in levels_of(copy):
        if predicted <= level if below(copy) else predicted >= level:
            found = name
    return found


def numeric(copy: Copy) -> bool:
    """Whether numbers or probabilities are predicted."""
    return copy.contract.kind is not PredictionKind.MULTICLASS


def below(copy: Copy) -> bool:
    """Whether the lowest value is the riskiest."""
    alert = copy.contract.alert
    return alert is not None and alert.when == "below"


def mean(expression: str) -> str:
    """The weighted mean of what is not NULL."""
    return f"SUM(W * ({expression})) / NULLIF(SUM(CASE WHEN ({expression}) IS NOT NULL THEN W END), 0)"


def key_of(copy: Copy, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in copy.keys)


def groups_of(copy: Copy, row: Row) -> Mapping[str, str | None]:
    return {column: row[f"G{place}"] for place, column in enumerate(copy.contract.groups)}


def prediction_row(copy: Copy, row: Row) -> PredictionRow:
    """A row of the copy as what is read."""
    predicted, actual = as_value(row["PREDICTED"]), maybe(row["ACTUAL"])
    numbers = isinstance(predicted, float) and isinstance(actual, float)
    return PredictionRow(
        key=key_of(copy, row),
        label=row["LABEL"],
        time=row["T"],
        predicted=predicted,
        actual=actual,
        error=predicted - actual if numbers else None,  # type: ignore[operator]
        naive=maybe(row["NAIVE"]),
        lower=number(row["LOWER_BOUND"]),
        upper=number(row["UPPER_BOUND"]),
        level=level_at(copy, predicted) if isinstance(predicted, float) else None,
        groups=groups_of(copy, row),
        features={column: plain(row[f"F{place}"]) for place, column in enumerate(copy.contract.features)},
        model_version=row["V"] or None,
        made_at=utc(row["MADE_AT"]),
    )


def placed_row(copy: Copy, row: Row) -> PlacedRow:
    """As ``prediction_row``, for the map."""
    return PlacedRow(
        key_of(copy, row),
        row["LABEL"],
        row["LATITUDE"],
        row["LONGITUDE"],
        as_value(row["PREDICTED"]),
        maybe(row["ACTUAL"]),
        number(row["SIZE"]),
        groups_of(copy, row),
    )


def alert_row(copy: Copy, row: Row) -> Alert:
    """As ``prediction_row``, of what is at or beyond a level."""
    predicted = float(row["PREDICTED"])
    return Alert(
        prediction=copy.name,
        key=key_of(copy, row),
        label=row["LABEL"],
        time=row["T"],
        predicted=predicted,
        level=level_at(copy, predicted) or "",
        actual=number(row["ACTUAL"]),
        open=row["ACTUAL"] is None,
        groups=groups_of(copy, row),
    )


def as_value(value: Any) -> Value:
    return value if isinstance(value, str) else float(value)


def maybe(value: Any) -> Value | None:
    return None if value is None else as_value(value)


def number(value: Any) -> float | None:
    return None if value is None else float(value)


def utc(moment: datetime | None) -> datetime | None:
    """A moment without zone is of UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def plain(value: Any) -> Plain:
    """A feature's value as JSON can say it; a number without a fraction stays whole."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value)
    try:
        read = float(value)
    except (TypeError, ValueError):
        return str(value)
    return read if abs(read) < float("inf") else None
