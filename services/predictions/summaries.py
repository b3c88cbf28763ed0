"""What is counted of a copy once, when it is made: each time's totals, and the diagnostics of the last days."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from services.predictions.copied import Asks, Copy, Row
from services.predictions.rows import below, levels_of, mean, number, numeric, utc
from services.predictions.types import (
    Cell,
    ClassPair,
    Confusion,
    Declared,
    Diagnostics,
    Part,
    ScoreBin,
    Totals,
)

# Of a time's values in the order of their risk every STEP-th is kept: a list or a map reads no further.
STEP = 1_501
# Days of the diagnostics that are kept.
DIAGNOSED_DAYS = 28


def times_of(asks: Asks, copy: Copy, days: Sequence[date]) -> list[tuple[Any, ...]]:
    """Rows of prediction_times for the days."""
    marks = ", ".join("?" * len(days))
    levels = levels_of(copy)
    beyond = f"PREDICTED {'<=' if below(copy) else '>='} ?"
    counted = "".join(f", COUNT_IF({beyond}) AS L{place}" for place, _ in enumerate(levels))
    open_alerts = f"COUNT_IF({beyond} AND ACTUAL IS NULL)" if levels else "0"
    means = ", ".join(
        f"{mean(value) if numeric(copy) else 'NULL'} AS {name}"
        for name, value in (
            ("MEAN_PREDICTED", "PREDICTED"),
            ("MEAN_ACTUAL", "ACTUAL"),
            ("BIAS", "PREDICTED - ACTUAL"),
        )
    )
    rows = asks(
        "SELECT DAY, T, COUNT(*) AS N, COUNT(ACTUAL) AS SCORED,"
        " COUNT_IF(LATITUDE IS NOT NULL AND LONGITUDE IS NOT NULL) AS PLACED,"
        f" {mean(copy.loss('PREDICTED'))} AS MEAN_LOSS, {mean(copy.loss('NAIVE'))} AS MEAN_NAIVE, {means}{counted},"
        f" {open_alerts} AS OPEN_ALERTS, MAX(V) AS V, COUNT(DISTINCT V) AS VERSIONS, MAX(MADE_AT) AS MADE_AT"
        f" FROM {copy.rows} AS R WHERE DAY IN ({marks}) GROUP BY DAY, T",
        (*(level for _, level in levels), *(level for _, level in levels[:1]), *days),
    )
    cuts = _cuts(asks, copy, days) if numeric(copy) else {}
    return [
        (
            copy.id,
            row["DAY"],
            row["T"],
            row["N"],
            row["SCORED"],
            row["L0"] if levels else 0,
            row["OPEN_ALERTS"],
            cuts.get(row["T"]),
            json.dumps(asdict(_totals(row, levels)), default=datetime.isoformat),
        )
        for row in rows
    ]


def totals_of(body: str, matched: int | None = None) -> Totals:
    """As ``times_of`` wrote it; ``matched`` by default all."""
    read = Totals(**json.loads(body))
    made = None if read.made_at is None else datetime.fromisoformat(str(read.made_at))
    return replace(read, made_at=made, matched=read.n if matched is None else matched)


def diagnostics_body(found: Diagnostics) -> str:
    """JSON of all but the prediction."""
    lists = ("parts", "cells", "calibration", "scores", "classes")
    return json.dumps(
        {
            "days": found.days,
            "last_day": found.last_day.isoformat() if found.last_day else None,
            "n": found.n,
            "confusion": asdict(found.confusion) if found.confusion else None,
            **{name: [asdict(one) for one in getattr(found, name)] for name in lists},
        }
    )


def diagnostics_of(one: Declared, body: str) -> Diagnostics:
    """As ``diagnostics_body`` wrote it."""
    read: Mapping[str, Any] = json.loads(body)
    return Diagnostics(
        one,
        read["days"],
        date.fromisoformat(read["last_day"]) if read["last_day"] else None,
        read["n"],
        tuple(Part(**part) for part in read["parts"]),
        tuple(Cell(**cell) for cell in read["cells"]),
        tuple(ScoreBin(**part) for part in read["calibration"]),
        tuple(ScoreBin(**part) for part in read["scores"]),
        Confusion(**read["confusion"]) if read["confusion"] else None,
        tuple(ClassPair(**pair) for pair in read["classes"]),
    )


def _cuts(asks: Asks, copy: Copy, days: Sequence[date]) -> dict[Any, str]:
    """By time, JSON of every STEP-th value in the order of risk."""
    order = "ASC" if below(copy) else "DESC"
    marks = ", ".join("?" * len(days))
    rows = asks(
        f"SELECT T, LIST(PREDICTED ORDER BY PLACE) AS CUTS FROM ("
        f" SELECT T, PREDICTED, ROW_NUMBER() OVER (PARTITION BY T ORDER BY PREDICTED {order}) AS PLACE"
        f" FROM {copy.rows} WHERE DAY IN ({marks}) AND T IN (SELECT T FROM {copy.rows} WHERE DAY IN ({marks})"
        f" GROUP BY T HAVING COUNT(*) >= {STEP})) AS X WHERE PLACE % {STEP} = 0 GROUP BY T",
        (*days, *days),
    )
    return {row["T"]: json.dumps(row["CUTS"]) for row in rows}


def _totals(row: Row, levels: Sequence[tuple[str, float]]) -> Totals:
    return Totals(
        n=int(row["N"]),
        matched=int(row["N"]),
        placed=int(row["PLACED"]),
        scored=int(row["SCORED"]),
        mean_predicted=number(row["MEAN_PREDICTED"]),
        mean_actual=number(row["MEAN_ACTUAL"]),
        loss=number(row["MEAN_LOSS"]),
        naive_loss=number(row["MEAN_NAIVE"]),
        bias=number(row["BIAS"]),
        levels={name: int(row[f"L{place}"]) for place, (name, _) in enumerate(levels)},
        open_alerts=int(row["OPEN_ALERTS"]),
        model_version=row["V"] or None,
        model_versions=int(row["VERSIONS"]),
        made_at=utc(row["MADE_AT"]),
    )
