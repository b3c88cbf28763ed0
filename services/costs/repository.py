"""Reads what ``rolling.py`` keeps, and what people may spend from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from services.costs.asked import CostFilter
from services.costs.types import ANY, NOBODY, Dimension, RunCost, SourceAge, Stack, credits_of
from services.history import History
from services.history.answers import KeptAnswers
from services.history.store import aware, naive

Row = dict[str, Any]
OTHERS = "others"
_DAY = timedelta(days=1)
# SQLite joins no more selects than 500.
_COUNTED = 100
# The day in UTC, as ``services.predictions.summaries`` writes the moment.
_MADE_ON = "TRY_CAST(left(body ->> '$.made_at', 10) AS DATE)"
# The views that costs are made of: what each says, and how late it may be.
# https://docs.snowflake.com/en/sql-reference/account-usage#account-usage-views
SOURCES = {
    "usage.metering_history": ("All credits by service", timedelta(hours=6)),
    "usage.warehouse_metering_history": ("Credits of warehouses", timedelta(hours=6)),
    "usage.query_attribution_history": ("Credits of statements", timedelta(hours=8)),
    "usage.serverless_task_history": ("Credits of serverless tasks", timedelta(hours=3)),
    "usage.snowpark_container_services_history": ("Credits of compute pools", timedelta(hours=3)),
}
_COLUMNS: dict[Dimension, str] = {
    "day": "day",
    "month": "date_trunc('month', day)::DATE",
    "spoke": "spoke",
    "environment": "environment",
    "graph": "graph",
    "resource": "resource",
    "service": "service",
    "kind": "kind",
}


@dataclass
class _Where:
    """Conditions and the values that they are bound to."""

    texts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " AND ".join(self.texts)

    def add(self, text: str, *values: Any) -> None:
        self.texts.append(text)
        self.values += values


class Credits:
    """Each function is one query, or two; amounts are billionths of a credit where they are whole numbers."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._answers = KeptAnswers(history)

    def group(
        self, wanted: CostFilter, by: Sequence[Dimension], limit: int, offset: int = 0
    ) -> list[tuple[tuple[Any, ...], int]]:
        """(keys, billionths), in the order of the keys; of no dimension one row."""
        where = _where(wanted)
        columns = "".join(f"{_COLUMNS[each]} AS key_{number}, " for number, each in enumerate(by))
        order = ", ".join(f"key_{number} NULLS LAST" for number in range(len(by)))
        rows = self._tuples(
            f"SELECT {columns}coalesce(sum(nanos), 0) FROM costs_daily WHERE {where.text}"
            + (f" GROUP BY ALL ORDER BY {order} LIMIT {limit:d} OFFSET {offset:d}" if by else ""),
            where.values,
        )
        return [(row[:-1], int(row[-1])) for row in rows]

    def metered(self, since: date, until: date) -> int:
        """What METERING_HISTORY says of these days, summed up from its rows."""
        rows = self._tuples(
            "SELECT coalesce(sum(round(credits * 1e9)::BIGINT), 0) FROM metering WHERE hour >= ? AND hour < ?",
            [_begin(since), _begin(until + _DAY)],
        )
        return int(rows[0][0])

    def account(self, since: date, until: date) -> int:
        """The sum of all lines of these days."""
        return self.group(CostFilter(since, until), (), 1)[0][1]

    def trend(self, wanted: CostFilter, stack: Stack, step: int, most: int) -> list[tuple[date, str, int]]:
        """(first day, key, billionths) by steps of days; the keys beyond the dearest ``most`` are OTHERS."""
        where = _where(wanted)
        # Nobody and nothing is a key of its own, beside the dearest.
        key = f"coalesce({stack}, '')"
        return self._tuples(
            f"""
            WITH found AS (
                SELECT ?::DATE + (date_diff('day', ?::DATE, day) // {step:d} * {step:d})::INTEGER AS start,
                    {key} AS key, sum(nanos) AS nanos
                FROM costs_daily WHERE {where.text} GROUP BY ALL
            ), dearest AS (
                SELECT key FROM found WHERE key <> '' GROUP BY key ORDER BY sum(abs(nanos)) DESC, key LIMIT {most:d}
            )
            SELECT start, CASE WHEN key = '' OR key IN (SELECT key FROM dearest) THEN key ELSE '{OTHERS}' END AS shown,
                sum(nanos)::BIGINT
            FROM found GROUP BY ALL ORDER BY ALL
            """,
            [wanted.since, wanted.since, *where.values],
        )

    def places(self, wanted: CostFilter) -> list[tuple[str | None, str | None, str, int]]:
        """(spoke, environment, kind, billionths)."""
        where = _where(wanted)
        return self._tuples(
            f"SELECT spoke, environment, kind, sum(nanos)::BIGINT FROM costs_daily WHERE {where.text} GROUP BY ALL",
            where.values,
        )

    def resources(self, since: date, until: date) -> tuple[str, ...]:
        """Warehouses and pools that cost something in these days."""
        rows = self._tuples(
            "SELECT DISTINCT resource FROM costs_daily WHERE day >= ? AND day <= ? AND resource <> ''"
            " AND kind IN ('compute', 'idle', 'container', 'rest') ORDER BY resource",
            [since, until],
        )
        return tuple(row[0] for row in rows)

    def of_budgets(
        self, places: Sequence[tuple[str, str]], since: date, until: date
    ) -> dict[tuple[str, str], dict[date, int]]:
        """Billionths by day of each (spoke, environment), either of which may be "*"."""
        marks = ", ".join("(?, ?)" for _ in places)
        rows = self._tuples(
            f"""
            SELECT asked.s, asked.e, day, sum(nanos)::BIGINT
            FROM (
                SELECT day, spoke, environment, sum(nanos) AS nanos FROM costs_daily
                WHERE day >= ? AND day <= ? GROUP BY ALL
            ) AS costs
            JOIN (VALUES {marks}) AS asked (s, e)
                ON (asked.s = '{ANY}' OR asked.s = spoke) AND (asked.e = '{ANY}' OR asked.e = environment)
            GROUP BY ALL
            """,
            [since, until, *(name for place in places for name in place)],
        )
        found: dict[tuple[str, str], dict[date, int]] = {place: {} for place in places}
        for spoke, environment, day, nanos in rows:
            found[spoke, environment][day] = nanos
        return found

    def graphs(self, wanted: CostFilter, limit: int, told_to: datetime | None) -> list[Row]:
        """spoke, environment, graph, nanos of what its runs cost, and the runs that were due before ``told_to``: what
        later ones cost may not be told yet; the dearest first.
        """
        where = _where(wanted)
        dearest = self._tuples(
            f"""
            SELECT spoke, environment, graph, sum(nanos)::BIGINT AS nanos FROM costs_daily
            WHERE {where.text} AND graph IS NOT NULL GROUP BY ALL
            ORDER BY nanos DESC, spoke, environment, graph LIMIT {limit:d}
            """,
            where.values,
        )
        end = _begin(wanted.until + _DAY)
        told = naive(told_to)
        due = self._due([row[:3] for row in dearest], _begin(wanted.since), min(end, told) if told else end)
        return [
            {
                "spoke": row[0],
                "environment": row[1],
                "graph": row[2],
                "nanos": row[3],
                "runs": due.get(row[:3], 0),
            }
            for row in dearest
        ]

    def _due(
        self, graphs: Sequence[tuple[Any, ...]], since: datetime, until: datetime
    ) -> dict[tuple[Any, ...], int]:
        """How many runs of each (spoke, environment, graph) were due within; those without may be missing."""
        if not graphs:
            return {}
        index = self._history.index
        begin, floor = aware(since), index.floor
        # Each is a part of an index, and nothing else is read.
        if len(graphs) <= _COUNTED and begin is not None and (floor is None or begin > floor):
            one = (
                "SELECT {} AS place, count(*) FROM runs WHERE spoke IS ? AND environment IS ? AND graph = ?"
                " AND scheduled_at >= ? AND scheduled_at < ? AND attempt = 1"
            )
            counts = index.ask(
                " UNION ALL ".join(one.format(place) for place in range(len(graphs))),
                [value for graph in graphs for value in (*graph, since, until)],
            )
            if counts is not None and floor == index.floor:
                return {graphs[place]: count for place, count in counts}
        rows = self._tuples(
            "SELECT spoke, environment, graph, count(*) FROM graph_runs WHERE scheduled_at >= ? AND scheduled_at < ?"
            f" AND attempt = 1 AND graph IN ({', '.join('?' * len(graphs))}) GROUP BY ALL",
            [since, until, *(graph for *_, graph in graphs)],
        )
        return {row[:3]: row[3] for row in rows}

    def predicted(self, since: date, until: date) -> dict[tuple[str, str, str], int]:
        """How many of the predictions were made in these days, by (spoke, environment, prediction).

        Of each time the newest counts. One whose spoke does not tell when it was made counts on its own day.
        """
        rows = self._tuples(
            f"""
            SELECT spoke, environment, prediction, sum(n)::BIGINT
            FROM (SELECT copy_id, n, coalesce({_MADE_ON}, day) AS made_on FROM prediction_times)
            JOIN prediction_copies ON id = copy_id WHERE made_on >= ? AND made_on <= ? GROUP BY ALL
            """,
            [since, until],
        )
        return {(spoke, environment, prediction): n for spoke, environment, prediction, n in rows}

    def runs(self, wanted: CostFilter, limit: int, offset: int) -> list[RunCost]:
        """Runs, the dearest first."""
        where = _where(wanted)
        rows = self._history.rows(
            f"""
            SELECT spoke, environment, graph, run_id, min(day) AS day, sum(nanos)::BIGINT AS nanos,
                {", ".join(f"sum(nanos) FILTER (kind = '{kind}') AS {kind}" for kind in _OF_RUNS)}
            FROM costs_runs WHERE {where.text} GROUP BY spoke, environment, graph, run_id
            ORDER BY nanos DESC, run_id, graph LIMIT {limit:d} OFFSET {offset:d}
            """,
            where.values,
        )
        return [_run(row) for row in rows]

    def of_run(
        self, spoke: str, environment: str, graph: str, run_id: str, since: date = date.min
    ) -> RunCost | None:
        rows = self._history.rows(
            f"""
            SELECT spoke, environment, graph, run_id, min(day) AS day, sum(nanos)::BIGINT AS nanos,
                {", ".join(f"sum(nanos) FILTER (kind = '{kind}') AS {kind}" for kind in _OF_RUNS)}
            FROM costs_runs WHERE day >= ? AND run_id = ? AND graph = ? AND spoke = ? AND environment = ? GROUP BY ALL
            """,
            [since, run_id, graph, spoke, environment],
        )
        return _run(rows[0]) if rows else None

    def by_place(self, since: date, until: date) -> dict[tuple[str, str], int]:
        rows = self._tuples(
            "SELECT spoke, environment, sum(nanos)::BIGINT FROM costs_daily"
            " WHERE day >= ? AND day <= ? AND spoke IS NOT NULL AND environment IS NOT NULL GROUP BY ALL",
            [since, until],
        )
        return {(spoke, environment): nanos for spoke, environment, nanos in rows}

    def sources(self) -> tuple[SourceAge, ...]:
        """When each view was read; in the order of SOURCES."""
        marks = ", ".join("?" * len(SOURCES))
        rows = self._tuples(
            f"SELECT source, read_to, as_of FROM sync_marks WHERE source IN ({marks})", list(SOURCES)
        )
        read = {source: (read_to, as_of) for source, read_to, as_of in rows}
        return tuple(
            _age(title, *read[name], latency) for name, (title, latency) in SOURCES.items() if name in read
        )

    def metered_to(self) -> datetime | None:
        """The end of the newest hour that is metered."""
        rows = self._tuples("SELECT max(hour) + INTERVAL 1 HOUR FROM metering", [])
        return aware(rows[0][0])

    def _tuples(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._answers.tuples(text, values)


# What a run can cause.
_OF_RUNS = ("compute", "acceleration", "serverless", "container")


def _where(wanted: CostFilter) -> _Where:
    found = _Where()
    found.add("day >= ? AND day <= ?", wanted.since, wanted.until)
    if wanted.spoke == NOBODY:
        found.add("spoke IS NULL")
    elif wanted.spoke is not None:
        found.add("spoke = ?", wanted.spoke)
    for column in ("environment", "resource", "kind", "graph"):
        value = getattr(wanted, column)
        if value is not None:
            found.add(f"{column} = ?", value)
    return found


def _run(row: Row) -> RunCost:
    kinds = {kind: credits_of(row[kind]) for kind in _OF_RUNS if row[kind]}
    return RunCost(
        row["spoke"],
        row["environment"],
        row["graph"],
        row["run_id"],
        row["day"],
        credits_of(row["nanos"]),
        kinds,  # type: ignore[arg-type]
    )


def _age(title: str, read_to: datetime, as_of: datetime, latency: timedelta) -> SourceAge:
    read, seen = aware(read_to), aware(as_of)
    assert read is not None
    assert seen is not None
    return SourceAge(title, seen, min(read, seen - latency))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time())
