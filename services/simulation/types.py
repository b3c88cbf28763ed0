"""Which day it is in the synthetic data, and what comes next.

Functions (`services.simulation`):

- `status(days: int = 42) -> SimulationStatus`: the last days of the calendar; `seeded=False` and no days
  before seeding.
- `start_next(actor: str) -> str`: submits the operation `status().next.kind`, returns its id, or that of
  the step under way; Conflict 409 when another operation on the data is.
- `start_days(days: int, trouble: str | None, actor: str) -> str`: submits `simulation.run`.
- `start_reset(confirm: str, actor: str) -> str`: back to the end of the seed; Invalid 422 unless `confirm`
  is the word `status().reset_word`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

StepKind = Literal["data.seed", "data.morning", "inference.run", "data.evening", "predictions.evaluate"]


@dataclass(frozen=True, slots=True)
class SimulationDay:
    """One day: when each phase was done (None: not yet) and how many rows it brought."""

    day: date
    seeded: bool = False
    morning_at: datetime | None = None
    morning_rows: int | None = None
    predicted: bool = False
    evening_at: datetime | None = None
    evening_rows: int | None = None
    evaluated: bool = False


@dataclass(frozen=True, slots=True)
class NextStep:
    """What one press of the button does, and whose prediction it is about, where it is about one's."""

    kind: StepKind
    title: str
    day: date | None
    spoke: str | None = None
    environment: str | None = None
    prediction: str | None = None
    graph: str | None = None


@dataclass(frozen=True, slots=True)
class SimulationStatus:
    """The calendar, oldest day first, and the next step. `row_counts` by table name."""

    seeded: bool
    days: tuple[SimulationDay, ...]
    next: NextStep | None
    first_day: date | None = None
    seed_last_day: date | None = None
    last_morning: date | None = None
    last_evening: date | None = None
    reset_word: str = "reset"
    row_counts: Mapping[str, int] = field(default_factory=dict)
