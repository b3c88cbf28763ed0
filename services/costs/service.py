"""Costs: what was charged, by whom caused, what the month will come to, and what may be spent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from services.core.clock import Clock, utc_now
from services.core.errors import Invalid
from services.costs import budgets, forecast
from services.costs.asked import CostFilter
from services.costs.budgets import Budgets
from services.costs.repository import OTHERS, Credits
from services.costs.types import (
    ANY,
    KINDS,
    NOBODY,
    SORTS,
    STACKS,
    BudgetState,
    CostGroup,
    CostGroupPage,
    CostReport,
    Dimension,
    GraphCost,
    Kind,
    Line,
    Month,
    Place,
    PlaceCost,
    Role,
    RunCost,
    RunCostPage,
    SourceAge,
    Stack,
    Trend,
    credits_of,
)
from services.db.engine import Database
from services.history import History
from services.spokes.service import Spokes

# What of an onboarded place changes with its manifest.
Stamp = tuple[str | None, datetime | None, datetime | None]
SHOWN_PLACES, SHOWN_GRAPHS, SHOWN_KEYS = 50, 20, 8
MOST_GROUPS = 100_000
# Of more days the trend is by week.
_MOST_BARS = 92
_DAY = timedelta(days=1)


class Costs:
    """See types.py."""

    def __init__(self, history: History, database: Database, spokes: Spokes, clock: Clock = utc_now) -> None:
        self._credits = Credits(history)
        self._budgets = Budgets(database, spokes, clock)
        self._database = database
        self._spokes = spokes
        self._clock = clock
        self._alarming: tuple[tuple[int, date], int] | None = None
        self._roles: dict[tuple[str, str, Stamp], dict[str, tuple[Role, str]]] = {}

    def today(self) -> date:
        """Today, in UTC."""
        return self._clock().astimezone(UTC).date()

    def group(
        self, wanted: CostFilter, by: Sequence[Dimension], limit: int = 1000, offset: int = 0
    ) -> CostGroupPage:
        """Credits by these dimensions, in their order; without any, the sum."""
        rows = self._credits.group(wanted, by, limit + 1, offset)
        items = tuple(CostGroup(keys, credits_of(nanos)) for keys, nanos in rows[:limit])
        return CostGroupPage(items, offset + limit if len(rows) > limit else None)

    def export(self, wanted: CostFilter, by: Sequence[Dimension]) -> tuple[CostGroup, ...]:
        """All groups; Invalid 422 where they are too many for one file."""
        found = self.group(wanted, by, MOST_GROUPS)
        if found.next_offset is not None:
            raise Invalid(
                f"These are more than {MOST_GROUPS} rows",
                hint="Ask for fewer days, or group by less.",
                code="too_many_rows",
            )
        return found.items

    def report(
        self, wanted: CostFilter, stack: Stack = "kind", sort: str = "total", offset: int = 0
    ) -> CostReport:
        """What the page shows; the number of queries is the same whatever there is."""
        if stack not in STACKS:
            raise Invalid(f"Costs are not stacked by {stack!r}", hint=f"Use one of {', '.join(STACKS)}.")
        if sort not in SORTS:
            raise Invalid(f"Places are not sorted by {sort!r}", hint=f"Use one of {', '.join(SORTS)}.")
        rows = self._credits.places(wanted)
        total = sum(nanos for *_, nanos in rows)
        account = self._credits.account(wanted.since, wanted.until) if wanted.narrow else total
        places = _places(rows, sort)
        sources = self.sources()
        mine = _place_of(wanted)
        states, month = self._months(sources, mine)
        return CostReport(
            total=credits_of(total),
            metering=credits_of(self._credits.metered(wanted.since, wanted.until)),
            account=credits_of(account),
            lines=_lines(rows),
            trend=self._trend(wanted, stack),
            places=tuple(places[offset : offset + SHOWN_PLACES]),
            places_count=len(places),
            graphs=self.graphs(wanted),
            month=month,
            budgets=states,
            budget=next((one for one in states if (one.budget.spoke, one.budget.environment) == mine), None),
            sources=sources,
            resources=self._credits.resources(wanted.since, wanted.until),
        )

    def graphs(self, wanted: CostFilter, limit: int = SHOWN_GRAPHS) -> tuple[GraphCost, ...]:
        """What the runs of graphs cost, the dearest first; those that train or predict are marked as such."""
        known = self._declared_graphs()
        predicted = self._credits.predicted(wanted.since, wanted.until)
        found = []
        for row in self._credits.graphs(wanted, limit, self.as_of()):
            cost = GraphCost(
                row["spoke"], row["environment"], row["graph"], row["runs"], credits_of(row["nanos"])
            )
            place = known.get((row["spoke"], row["environment"]))
            role = self._roles_of(*place).get(row["graph"]) if place else None
            if role is not None:
                cost = replace(cost, role=role[0], subject=role[1])
                if role[0] == "predicts":
                    rows = predicted.get((row["spoke"], row["environment"], role[1]))
                    cost = replace(cost, rows=rows)
            found.append(cost)
        return tuple(found)

    def runs(self, wanted: CostFilter, limit: int = 50, offset: int = 0) -> RunCostPage:
        """Runs of graphs, the dearest first."""
        found = self._credits.runs(wanted, limit + 1, offset)
        return RunCostPage(tuple(found[:limit]), offset + limit if len(found) > limit else None)

    def of_run(
        self, spoke: str, environment: str, graph: str, run_id: str, since: date = date.min
    ) -> RunCost | None:
        """One run, which began on the day ``since`` or after it; None while no view has told of a cost of it."""
        return self._credits.of_run(spoke, environment, graph, run_id, since)

    def by_place(self, days: int = 7) -> Mapping[Place, Decimal]:
        """Credits of the last days, today among them; without places that cost nothing."""
        today = self.today()
        found = self._credits.by_place(today - timedelta(days=days - 1), today)
        return {place: credits_of(nanos) for place, nanos in found.items()}

    def sources(self) -> tuple[SourceAge, ...]:
        """What costs are made of, and how old it is."""
        return self._credits.sources()

    def as_of(self) -> datetime | None:
        """Up to when costs are told; None before the first source was read.

        That is what every source is sure to have told by its documented lateness, or what the metering told already.
        """
        sources = self.sources()
        if not sources:
            return None
        sure, told = min(source.complete_to for source in sources), self._credits.metered_to()
        read = min(source.as_of for source in sources)
        return sure if told is None else min(read, max(sure, told))

    def budgets(self) -> tuple[BudgetState, ...]:
        """Every budget and how the month stands to it, the most spent first."""
        return self._months(self.sources(), (ANY, ANY))[0]

    def alarming(self) -> int:
        """How many budgets have come to their warning, or are spent; kept as long as nothing changed."""
        stamp = (self._database.revision.value, self.today())
        kept = self._alarming
        if kept is None or kept[0] != stamp:
            states = self.budgets() if self._budgets.all() else ()
            kept = self._alarming = stamp, sum(one.word in ("warned", "exceeded") for one in states)
        return kept[1]

    def set_budget(
        self, spoke: str, environment: str, credits: float, warn_at: float, actor: str
    ) -> BudgetState:
        """Set what may be spent each month; "*" is for all. NotFound 404, Invalid 422."""
        key = self._budgets.set(spoke, environment, credits, warn_at, actor)
        return next(one for one in self.budgets() if (one.budget.spoke, one.budget.environment) == key)

    def remove_budget(self, spoke: str, environment: str, actor: str) -> None:
        """NotFound 404 when there is none."""
        self._budgets.remove(spoke, environment, actor)

    def _months(self, sources: tuple[SourceAge, ...], mine: Place) -> tuple[tuple[BudgetState, ...], Month]:
        """The budgets, and the month of one place."""
        found = self._budgets.all()
        places = list(dict.fromkeys([mine, *((one.spoke, one.environment) for one in found)]))
        today = self.today()
        since = min(today.replace(day=1), today - (forecast.MOST + 7) * _DAY)
        daily = self._credits.of_budgets(places, since, today)
        whole_to = self._whole_to(sources, today)
        months = {place: forecast.month(daily[place], today, whole_to) for place in places}
        states = [budgets.state(one, months[one.spoke, one.environment]) for one in found]
        states.sort(key=lambda one: (-one.fraction, one.budget.spoke, one.budget.environment))
        return tuple(states), months[mine]

    def _whole_to(self, sources: tuple[SourceAge, ...], today: date) -> date:
        """The first day of which something may still be told."""
        known = min((source.complete_to for source in sources), default=None)
        known = known or self._credits.metered_to()
        return today if known is None else min(known.astimezone(UTC).date(), today)

    def _trend(self, wanted: CostFilter, stack: Stack) -> Trend:
        days = (wanted.until - wanted.since).days + 1
        step = 1 if days <= _MOST_BARS else 7
        starts = tuple(wanted.since + number * _DAY for number in range(0, days, step))
        amounts: dict[str, dict[date, int]] = defaultdict(dict)
        for start, key, nanos in self._credits.trend(wanted, stack, step, SHOWN_KEYS):
            amounts[key][start] = nanos
        order = _kind_order if stack == "kind" else _dearest_first(amounts)
        series = tuple(
            (key, tuple(credits_of(amounts[key].get(start, 0)) for start in starts))
            for key in sorted(amounts, key=order)
        )
        return Trend(starts, step, series)

    def _declared_graphs(self) -> dict[Place, tuple[str, str, Stamp]]:
        """The onboarded places, each with what changes when its manifest does."""
        return {
            (spoke.name, here.environment): (
                spoke.name,
                here.environment,
                (here.bundle, here.onboarded_at, here.deployed_at),
            )
            for spoke in self._spokes.all()
            for here in spoke.environments
        }

    def _roles_of(self, spoke: str, environment: str, stamp: Stamp) -> dict[str, tuple[Role, str]]:
        """What each graph is for, by its name; read again when the place is deployed to."""
        key = (spoke, environment, stamp)
        if key not in self._roles:
            manifest = self._spokes.scope(spoke, environment).manifest
            found: dict[str, tuple[Role, str]] = {}
            for name, graph in manifest.graphs.items() if manifest else ():
                if graph.trains:
                    found[name] = ("trains", graph.trains)
                elif graph.predicts:
                    found[name] = ("predicts", graph.predicts)
            self._roles = {k: v for k, v in self._roles.items() if k[:2] != key[:2]} | {key: found}
        return self._roles[key]


def _place_of(wanted: CostFilter) -> Place:
    """Whose month is told beside a filter: that of all for what is nobody's."""
    if wanted.spoke == NOBODY:
        return ANY, ANY
    return wanted.spoke or ANY, wanted.environment or ANY


def _lines(rows: Sequence[tuple[str | None, str | None, str, int]]) -> tuple[Line, ...]:
    """Each kind that cost something, and always what is attributed and what is idle."""
    all_, mine = Counter[str](compute=0, idle=0), Counter[str]()
    for spoke, _, kind, nanos in rows:
        all_[kind] += nanos
        mine[kind] += nanos if spoke is not None else 0
    return tuple(Line(kind, credits_of(all_[kind]), credits_of(mine[kind])) for kind in KINDS if kind in all_)


def _places(rows: Sequence[tuple[str | None, str | None, str, int]], sort: str) -> list[PlaceCost]:
    """Sorted; what belongs to nobody comes last."""
    found: dict[tuple[str | None, str | None], dict[Kind, int]] = defaultdict(dict)
    for spoke, environment, name, nanos in rows:
        kind = next(one for one in KINDS if one == name)
        found[spoke, environment][kind] = nanos
    places = [
        PlaceCost(
            spoke,
            environment,
            credits_of(sum(kinds.values())),
            {kind: credits_of(nanos) for kind, nanos in kinds.items()},
        )
        for (spoke, environment), kinds in found.items()
    ]

    def order(place: PlaceCost) -> tuple[bool, Decimal, str, str]:
        amount = Decimal(0)
        if sort == "total":
            amount = place.total
        elif sort != "place":
            shown = ("other", "acceleration", "rest") if sort == "other" else (sort,)
            amount = sum((value for kind, value in place.kinds.items() if kind in shown), Decimal(0))
        return place.spoke is None, -amount, place.spoke or "", place.environment or ""

    return sorted(places, key=order)


def _kind_order(key: str) -> tuple[int, int, str]:
    return next((number for number, kind in enumerate(KINDS) if kind == key), len(KINDS)), 0, key


def _dearest_first(amounts: Mapping[str, Mapping[date, int]]) -> Callable[[str], tuple[int, int, str]]:
    """The order of keys: the dearest first, then the others, then nobody's."""

    def order(key: str) -> tuple[int, int, str]:
        return 2 if key == "" else 1 if key == OTHERS else 0, -sum(amounts[key].values()), key

    return order
