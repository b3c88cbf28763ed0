"""What the account is charged for, and by whom it was caused.

Amounts are credits, exact to the billionth (``Decimal``), days are UTC. ``spoke`` and ``environment`` are None for what
belongs to nobody. The sum over everything of a day is what METERING_HISTORY says of it: ``rest`` is what it says and no
other view explains, and may be less than nothing.

Functions (`services.costs`):

- `group(CostFilter(...), by, limit=1000, offset=0) -> CostGroupPage`; `export(CostFilter(...), by)`: all of it.
- `report(CostFilter(...), stack="kind", …) -> CostReport`: what the page shows.
- `runs(CostFilter(...), limit=50, offset=0) -> RunCostPage`: runs of graphs, the dearest first.
- `of_run(spoke, environment, graph, run_id, since=date.min) -> RunCost | None`: None while nothing is known.
- `by_place(days=7) -> Mapping[(spoke, environment), Decimal]`: of the last days, today among them.
- `budgets() -> tuple[BudgetState, ...]`, `set_budget(...)`, `remove_budget(...)`: NotFound 404, Invalid 422.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Place = tuple[str, str]
# Of any spoke or environment, in a budget.
ANY = "*"
# Asks for what belongs to nobody, in a filter.
NOBODY = "-"

Kind = Literal["compute", "idle", "serverless", "container", "acceleration", "cloud", "other", "rest"]
KINDS: tuple[Kind, ...] = (
    "compute", "idle", "serverless", "container", "acceleration", "cloud", "other", "rest",
)  # fmt: skip
Dimension = Literal["day", "month", "spoke", "environment", "graph", "resource", "service", "kind"]
DIMENSIONS: tuple[Dimension, ...] = (
    "day", "month", "spoke", "environment", "graph", "resource", "service", "kind",
)  # fmt: skip
# By what the bars of the trend may be parted.
Stack = Literal["kind", "spoke", "environment", "resource"]
STACKS: tuple[Stack, ...] = ("kind", "spoke", "environment", "resource")
SORTS = ("total", "place", "compute", "idle", "serverless", "container", "cloud", "other")
Role = Literal["trains", "predicts"]
BudgetWord = Literal["within", "expected", "warned", "exceeded"]


def credits_of(nanos: int) -> Decimal:
    """Credits of so many billionths."""
    return Decimal(int(nanos)).scaleb(-9)


@dataclass(frozen=True, slots=True)
class CostGroup:
    """Credits of one combination; ``keys`` are in the order of what was asked for, None for nobody or nothing."""

    keys: tuple[str | date | None, ...]
    credits: Decimal


@dataclass(frozen=True, slots=True)
class CostGroupPage:
    items: tuple[CostGroup, ...] = ()
    next_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One kind in the period. ``credits`` of all of them sum up to the total."""

    kind: Kind
    credits: Decimal
    attributed: Decimal
    """The part that belongs to a spoke."""


@dataclass(frozen=True, slots=True)
class PlaceCost:
    """One spoke in one environment; ``kinds`` without those that cost nothing."""

    spoke: str | None
    environment: str | None
    total: Decimal
    kinds: Mapping[Kind, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GraphCost:
    """What one graph's runs cost in the period; ``runs`` were due in it, before the moment that costs are told to.

    ``subject`` is the model that it trains or the prediction that it makes.

    ``rows`` are the predictions that were made in the period, None where that is not known.
    """

    spoke: str | None
    environment: str | None
    graph: str
    runs: int
    credits: Decimal
    role: Role | None = None
    subject: str | None = None
    rows: int | None = None

    @property
    def per_run(self) -> Decimal | None:
        return self.credits / self.runs if self.runs else None

    @property
    def per_row(self) -> Decimal | None:
        return self.credits / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class RunCost:
    """One run with all its attempts; ``day`` is the first on which it cost something."""

    spoke: str | None
    environment: str | None
    graph: str
    run_id: str
    day: date
    credits: Decimal
    kinds: Mapping[Kind, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunCostPage:
    items: tuple[RunCost, ...] = ()
    next_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a month will come to. ``low`` and ``high`` enclose it four times of five, if the days to come are as the
    ``days`` before were.
    """

    expected: Decimal
    low: Decimal
    high: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class Month:
    """The month that goes on, as far as it is known; ``forecast`` is None with fewer than three whole days before."""

    first: date
    so_far: Decimal
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Credits of each month. ``spoke`` and ``environment`` are "*" for all; of both it is the account's."""

    spoke: str
    environment: str
    credits: Decimal
    warn_at: float
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget and the month. ``fraction`` of it is spent."""

    budget: Budget
    month: Month
    fraction: float
    word: BudgetWord


@dataclass(frozen=True, slots=True)
class SourceAge:
    """When a view of Account Usage was read, and until when it is sure to have told everything."""

    title: str
    as_of: datetime
    complete_to: datetime


@dataclass(frozen=True, slots=True)
class Trend:
    """Credits by day, or by week of seven days where there are many. ``keys`` are the dearest, at most eight, in order;
    what is neither in them nor nobody's is "others".
    """

    starts: tuple[date, ...]
    step_days: int
    series: tuple[tuple[str, tuple[Decimal, ...]], ...]


@dataclass(frozen=True, slots=True)
class CostReport:
    """``total`` is of what fits the filter; ``metering`` what the account's metering says of the whole period, and
    ``account`` the sum of all lines of it, whatever the filter. Those two are equal unless copies are being written.
    """

    total: Decimal
    metering: Decimal
    account: Decimal
    lines: tuple[Line, ...]
    trend: Trend
    places: tuple[PlaceCost, ...]
    places_count: int
    graphs: tuple[GraphCost, ...]
    month: Month
    budgets: tuple[BudgetState, ...]
    budget: BudgetState | None
    sources: tuple[SourceAge, ...]
    resources: tuple[str, ...]
