"""The synthetic data's calendar."""

from __future__ import annotations

from datetime import date, datetime

from app.schemas.base import Schema
from services.simulation.types import StepKind


class SimulationDay(Schema):
    """One day: when each phase was done (None: not yet) and how many rows it brought."""

    day: date
    seeded: bool
    morning_at: datetime | None
    morning_rows: int | None
    predicted: bool
    evening_at: datetime | None
    evening_rows: int | None
    evaluated: bool


class NextStep(Schema):
    """What one press of the button does, and whose prediction it is about, where it is about one's."""

    kind: StepKind
    title: str
    day: date | None
    spoke: str | None
    environment: str | None
    prediction: str | None
    graph: str | None


class SimulationStatus(Schema):
    """The calendar, oldest day first, and the next step."""

    seeded: bool
    days: list[SimulationDay]
    next: NextStep | None
    first_day: date | None
    seed_last_day: date | None
    last_morning: date | None
    last_evening: date | None
    reset_word: str
    row_counts: dict[str, int]
