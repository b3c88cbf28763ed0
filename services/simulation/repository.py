"""What the account knows of the synthetic data: its configuration, its log, and what was predicted of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.core.errors import SnowflakeFailed
from services.snowflake.answers import Answers
from services.snowflake.identifiers import QualifiedName, literal, quote
from services.snowflake.scope import Scope, within
from spoke_kit.manifest import Prediction

MORNING, EVENING = "MORNING", "EVENING"
TABLES = ("PUDO_REFERENCE", "PARCELS", "DELIVERY_ATTEMPTS", "PUDO_OCCUPANCY", "DATA_GENERATION_LOG")
# Schema or object does not exist; database does not exist or is not authorized.
_MISSING = frozenset({2003, 2043})


@dataclass(frozen=True, slots=True)
class Seed:
    """The seeded network: its days, and when it was loaded."""

    first_day: date
    last_day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of one day, with the rows that it brought."""

    day: date
    phase: str
    rows: int


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Of one day: forecasts made, and those that have their actual."""

    made: int
    scored: int


class SimulatedData:
    """Reads the shared schema of one hub."""

    def __init__(self, source: Answers, schema: QualifiedName) -> None:
        self._source = source
        self._schema = schema

    def seed(self) -> Seed | None:
        """The seeded network; None before the seed."""
        table = within(self._schema, "DATA_GENERATION_CONFIG")
        rows = self._rows(f"SELECT CONFIG, SEEDED_AT FROM {table}")
        if not rows:
            return None
        config = json.loads(rows[0]["CONFIG"])
        first = date.fromisoformat(config["start_date"])
        return Seed(first, first + timedelta(days=config["n_days"] - 1), rows[0]["SEEDED_AT"])

    def last_phases(self) -> dict[str, date]:
        """The last day of each phase; empty before the seed."""
        table = within(self._schema, "DATA_GENERATION_LOG")
        rows = self._rows(f"SELECT PHASE, MAX(SIMULATION_DATE) AS DAY FROM {table} GROUP BY PHASE")
        return {row["PHASE"]: row["DAY"] for row in rows}

    def phases(self, since: date) -> list[Phase]:
        """The logged phases from a day on, in order. All are asked for, so that the statement is always the same."""
        table = within(self._schema, "DATA_GENERATION_LOG")
        rows = self._rows(
            f"SELECT SIMULATION_DATE, PHASE, RECORDS_ADDED FROM {table} ORDER BY SIMULATION_DATE"
        )
        return [
            Phase(row["SIMULATION_DATE"], row["PHASE"], int(row["RECORDS_ADDED"]))
            for row in rows
            if row["SIMULATION_DATE"] >= since
        ]

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        text = " UNION ALL ".join(
            f"SELECT {literal(name)} AS NAME, COUNT(*) AS N FROM {within(self._schema, name)}"
            for name in TABLES
        )
        return {row["NAME"]: int(row["N"]) for row in self._rows(text)}

    def forecasts(self, scope: Scope, contract: Prediction, since: date) -> dict[date, Forecasts]:
        """A spoke's forecasts of one prediction from a day on, by day."""
        day = f"{quote(contract.time)}::DATE"
        scored = f"COUNT({quote(contract.actual)})" if contract.actual else "0"
        rows = self._rows(
            f"SELECT {day} AS DAY, COUNT(*) AS MADE, {scored} AS SCORED"
            f" FROM {scope.own(contract.source)} GROUP BY 1"
        )
        return {
            row["DAY"]: Forecasts(int(row["MADE"]), int(row["SCORED"]))
            for row in rows
            if row["DAY"] is not None and row["DAY"] >= since
        }

    def _rows(self, text: str) -> list[dict[str, Any]]:
        """The rows; none while the tables do not exist."""
        try:
            return self._source.query(text)
        except SnowflakeFailed as error:
            if isinstance(error.detail, dict) and error.detail.get("errno") in _MISSING:
                return []
            raise
