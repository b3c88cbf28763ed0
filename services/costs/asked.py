"""What is asked of costs: of which days, and which of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from services.core.errors import Invalid
from services.costs.types import DIMENSIONS, KINDS, Dimension, Kind

MOST_DAYS = 366
Period = Literal["month", "7", "30", "90", "365"]
# Before there was an account, and after anybody's budget.
FIRST_DAY, LAST_DAY = date(2012, 1, 1), date(2199, 12, 31)
PERIODS: tuple[Period, ...] = ("month", "7", "30", "90", "365")


@dataclass(frozen=True, slots=True)
class CostFilter:
    """Which credits; None for any. ``since`` and ``until`` are days, both included.

    ``spoke`` "-" asks for what belongs to nobody. ``resource`` is a warehouse or a compute pool.
    """

    since: date
    until: date
    spoke: str | None = None
    environment: str | None = None
    resource: str | None = None
    kind: Kind | None = None
    graph: str | None = None

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise Invalid(
                f"The period ends on {self.until}, before it begins on {self.since}",
                hint="Exchange the two days.",
                code="bad_period",
            )
        if (self.until - self.since).days >= MOST_DAYS:
            raise Invalid(f"A period has at most {MOST_DAYS} days", code="bad_period")

    @property
    def narrow(self) -> bool:
        """Whether it asks for less than all credits of its days."""
        return any((self.spoke, self.environment, self.resource, self.kind, self.graph))


def period(name: str | None, since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """First and last day: those that are named, else of the period, which is this month when there is none."""
    for day in (since, until):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise Invalid(
                f"No credits are known of {day}",
                hint=f"Use days from {FIRST_DAY} to {LAST_DAY}.",
                code="bad_period",
            )
    if since is not None or until is not None:
        last = until or max(today, since or today)
        return since or last - timedelta(days=29), last
    if name in (None, "", "month"):
        return today.replace(day=1), today
    if name not in PERIODS:
        raise Invalid(
            f"There is no period {name!r}", hint=f"Use one of {', '.join(PERIODS)}.", code="bad_period"
        )
    return today - timedelta(days=int(name) - 1), today


def dimensions(names: Sequence[str]) -> tuple[Dimension, ...]:
    """The dimensions of these names, each once; Invalid for another name."""
    found: list[Dimension] = []
    for name in names:
        known = next((one for one in DIMENSIONS if one == name), None)
        if known is None:
            raise Invalid(
                f"Costs are not grouped by {name!r}",
                hint=f"Use some of {', '.join(DIMENSIONS)}.",
                code="unknown_dimension",
            )
        if known not in found:
            found.append(known)
    return tuple(found)


def kind(name: str | None) -> Kind | None:
    """The kind of this name, None for none; Invalid for another name."""
    if not name:
        return None
    found = next((one for one in KINDS if one == name), None)
    if found is None:
        raise Invalid(
            f"There is no kind {name!r}", hint=f"Use one of {', '.join(KINDS)}.", code="unknown_kind"
        )
    return found
