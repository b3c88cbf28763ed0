"""Credits by what caused them, what they come to, and what may be spent.

Credits are numbers: exact to the billionth below nine million of them, as a double is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

from app.schemas.base import Listing, Schema
from services.costs import types
from services.costs.types import BudgetWord, Dimension, Kind, Role

Credits = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class CostGroup(Schema):
    """Credits of one combination; only what was grouped by is there, null for nobody or nothing."""

    day: date | None = None
    month: date | None = None
    spoke: str | None = None
    environment: str | None = None
    graph: str | None = None
    resource: str | None = None
    service: str | None = None
    kind: Kind | None = None
    credits: Credits


class CostGroups(Listing[CostGroup]):
    """`since` and `until` are the first and the last day."""

    since: date
    until: date


class Line(Schema):
    """One kind; `attributed` is the part that belongs to a spoke."""

    kind: Kind
    credits: Credits
    attributed: Credits


class PlaceCost(Schema):
    """One spoke in one environment; null for what belongs to nobody."""

    spoke: str | None
    environment: str | None
    total: Credits
    kinds: dict[Kind, Credits]


class GraphCost(Schema):
    """What a graph's runs cost; `runs` were due in the period. `subject` is the model or prediction of its `role`."""

    spoke: str | None
    environment: str | None
    graph: str
    runs: int
    credits: Credits
    per_run: Credits | None
    role: Role | None
    subject: str | None
    rows: int | None
    per_row: Credits | None


class RunCost(Schema):
    """One run with all its attempts; `day` is the first on which it cost something."""

    spoke: str | None
    environment: str | None
    graph: str
    run_id: str
    day: date
    credits: Credits
    kinds: dict[Kind, Credits]


class Forecast(Schema):
    """Credits of the whole month; between `low` and `high` four times of five, judged by the `days` before."""

    expected: Credits
    low: Credits
    high: Credits
    days: int


class Month(Schema):
    """The month that goes on."""

    first: date
    so_far: Credits
    forecast: Forecast | None


class Budget(Schema):
    """Credits of each month; "*" is for all."""

    spoke: str
    environment: str
    credits: Credits
    warn_at: float
    changed_by: str
    changed_at: datetime


class BudgetState(Schema):
    """A budget and the month: `word` is exceeded, warned, expected (it will be) or within."""

    budget: Budget
    month: Month
    fraction: float
    word: BudgetWord


class SourceAge(Schema):
    """A view of Account Usage: when it was read, and until when it is sure to have told everything."""

    title: str
    as_of: datetime
    complete_to: datetime


class Trend(Schema):
    """Credits by days or weeks; each series has one amount for each of `starts`."""

    starts: list[date]
    step_days: int
    series: list[tuple[str, list[Credits]]]


class CostReport(Schema):
    """`metering` and `account` are of all credits of the period, whatever the filter, and equal."""

    since: date
    until: date
    total: Credits
    metering: Credits
    account: Credits
    lines: list[Line]
    trend: Trend
    places: list[PlaceCost]
    places_count: int
    graphs: list[GraphCost]
    month: Month
    budgets: list[BudgetState]
    sources: list[SourceAge]
    resources: list[str]


def group(by: Sequence[Dimension], found: types.CostGroup) -> CostGroup:
    """A group with the dimensions that were asked for."""
    keys: dict[str, object] = dict(zip(by, found.keys, strict=True))
    return CostGroup.model_validate({**keys, "credits": found.credits})


def as_csv(by: Sequence[Dimension], groups: Iterable[types.CostGroup]) -> Iterator[str]:
    """A header, and a line for each group; credits in full."""
    yield _line([*by, "credits"])
    for one in groups:
        yield _line([*map(_cell, one.keys), f"{one.credits:f}"])


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _cell(value: str | date | None) -> object:
    # A spreadsheet would take such a text for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
