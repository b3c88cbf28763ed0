"""Rows of Account Usage as the history holds them, and the costs reckoned from them by hand, row by row."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

DAY0 = datetime(2025, 7, 14)
HOUR = timedelta(hours=1)
PLACES = {
    ("tides", "DEV"): ("HUB", "TIDES_DEV"),
    ("tides", "PROD"): ("HUB", "TIDES_PROD"),
    ("dune", "DEV"): ("HUB", "DUNE_DEV"),
}
WAREHOUSE, SERVERLESS = "WAREHOUSE_METERING", "SERVERLESS_TASK"
CONTAINERS, ACCELERATION = "SNOWPARK_CONTAINER_SERVICES", "QUERY_ACCELERATION"


@dataclass(frozen=True)
class Metered:
    hour: int
    service: str
    name: str | None
    nanos: int
    cloud: int
    schema: str | None = None


@dataclass(frozen=True)
class OnHour:
    hour: int
    warehouse: str
    nanos: int
    attributed: int | None


@dataclass(frozen=True)
class Query:
    number: int
    warehouse: str
    ended: int
    """Minutes after DAY0."""
    nanos: int
    root: str | None = None
    tag: str | None = None
    acceleration: int = 0


@dataclass(frozen=True)
class Task:
    number: int
    """Its statement is "t" and the number."""
    name: str
    run: str
    began: int
    minutes: int
    spoke: tuple[str, str] | None = ("tides", "DEV")
    text: str = "CALL X()"

    @property
    def query(self) -> str:
        return f"t{self.number}"


@dataclass(frozen=True)
class TaskHour:
    name: str
    hour: int
    nanos: int
    spoke: tuple[str, str] | None = ("tides", "DEV")


@dataclass(frozen=True)
class PoolHour:
    pool: str
    hour: int
    nanos: int


@dataclass(frozen=True)
class Job:
    number: int
    text: str
    began: int
    minutes: int
    spoke: tuple[str, str] | None = ("dune", "DEV")


@dataclass
class Usage:
    """What Account Usage tells."""

    metering: list[Metered] = field(default_factory=list)
    on: list[OnHour] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    refreshes: list[tuple[str, tuple[str, str]]] = field(default_factory=list)
    """(query id, place)"""
    task_hours: list[TaskHour] = field(default_factory=list)
    pools: list[PoolHour] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def days(self) -> set[date]:
        """The days on which something costs."""
        hours = [DAY0 + one.hour * HOUR for one in (*self.metering, *self.on, *self.task_hours, *self.pools)]
        ends = [minutes(one.ended) for one in self.queries]
        return {moment.date() for moment in (*hours, *ends)}

    def parts(self) -> list[Usage]:
        """Each kind of row alone."""
        return [Usage(**{each.name: getattr(self, each.name)}) for each in fields(self)]


def minutes(number: int) -> datetime:
    return DAY0 + timedelta(minutes=number)


def task_schema(task: Task | TaskHour) -> str:
    return f"{task.spoke[0]}_{task.spoke[1]}".upper() if task.spoke else "ELSEWHERE"


def write(db: duckdb.DuckDBPyConnection, usage: Usage) -> None:
    """Put the rows into the history's tables."""
    seen = DAY0

    def insert(table: str, names: str, rows: list[list[Any]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

    insert(
        "metering",
        "service_type, name, database_name, schema_name, hour, credits, credits_cloud, credits_compute, seen_at",
        [
            [
                m.service, m.name, "HUB" if m.schema else None, m.schema, DAY0 + m.hour * HOUR, m.nanos / 1e9,
                m.cloud / 1e9, (m.nanos - m.cloud) / 1e9, seen,
            ]
            for m in usage.metering
        ],
    )  # fmt: skip
    insert(
        "warehouse_metering",
        "warehouse_name, hour, credits, credits_compute, credits_cloud, credits_attributed, seen_at",
        [
            [
                o.warehouse, DAY0 + o.hour * HOUR, o.nanos / 1e9, o.nanos / 1e9, 0.0,
                None if o.attributed is None else o.attributed / 1e9, seen,
            ]
            for o in usage.on
        ],
    )  # fmt: skip
    insert(
        "query_credits",
        "query_id, root_query_id, warehouse_name, query_tag, started_at, ended_at, credits, acceleration_credits,"
        " seen_at",
        [
            [
                f"q{q.number}", q.root, q.warehouse, q.tag, minutes(q.ended - 1), minutes(q.ended), q.nanos / 1e9,
                q.acceleration / 1e9, seen,
            ]
            for q in usage.queries
        ],
    )  # fmt: skip
    insert(
        "task_runs",
        "spoke, environment, database_name, schema_name, graph, name, run_id, attempt, state, scheduled_at,"
        " started_at, completed_at, query_id, query_text, source, seen_at",
        [
            [
                *(t.spoke or (None, None)), "HUB", task_schema(t), t.name.partition("$")[0], t.name, t.run, 1,
                "SUCCEEDED", minutes(t.began), minutes(t.began), minutes(t.began + t.minutes), t.query, t.text,
                "usage", seen,
            ]
            for t in usage.tasks
        ],
    )  # fmt: skip
    insert(
        "graph_runs",
        "spoke, environment, database_name, schema_name, graph, run_id, attempt, attempts, state, scheduled_at,"
        " tasks, tasks_failed, source, seen_at",
        [
            [
                *(t.spoke or (None, None)), "HUB", task_schema(t), t.name.partition("$")[0], t.run, 1, 1, "SUCCEEDED",
                minutes(t.began), 1, 0, "usage", seen,
            ]
            for t in usage.tasks
        ],
    )  # fmt: skip
    insert(
        "refreshes",
        "spoke, environment, database_name, schema_name, name, state, query_id, started_at, source, seen_at",
        [
            [*place, "HUB", "FS", "LEVELS", "SUCCEEDED", query, DAY0, "usage", seen]
            for query, place in usage.refreshes
        ],
    )
    insert(
        "serverless_tasks",
        "spoke, environment, database_name, schema_name, name, started_at, ended_at, credits, seen_at",
        [
            [
                *(t.spoke or (None, None)), "HUB", task_schema(t), t.name, DAY0 + t.hour * HOUR,
                DAY0 + (t.hour + 1) * HOUR, t.nanos / 1e9, seen,
            ]
            for t in usage.task_hours
        ],
    )  # fmt: skip
    insert(
        "compute_pools",
        "pool, hour, credits, seen_at",
        [[p.pool, DAY0 + p.hour * HOUR, p.nanos / 1e9, seen] for p in usage.pools],
    )
    insert(
        "queries",
        "query_id, query_text, spoke, environment, started_at, ended_at, source, seen_at",
        [
            [f"j{j.number}", j.text, *(j.spoke or (None, None)), minutes(j.began), minutes(j.began + j.minutes),
             "usage", seen]
            for j in usage.jobs
        ],
    )  # fmt: skip


Costs = Counter[tuple[Any, ...]]
"""Billionths by (day, spoke, environment, graph, resource, service, kind)."""
Runs = Counter[tuple[Any, ...]]
"""Billionths by (day, spoke, environment, graph, run, resource, kind)."""


def reckon(usage: Usage) -> tuple[Costs, Runs]:
    """What the rows come to, one after another."""
    costs: Costs = Counter()
    runs: Runs = Counter()

    def add(
        day: date,
        place: tuple[str | None, str | None] | None,
        graph: str | None,
        run: str | None,
        resource: str | None,
        service: str,
        kind: str,
        nanos: int,
    ) -> None:
        spoke, environment = place or (None, None)
        costs[day, spoke, environment, graph, resource, service, kind] += nanos
        if run is not None and graph is not None:
            runs[day, spoke, environment, graph, run, resource, kind] += nanos

    for query in usage.queries:
        day = minutes(query.ended).date()
        place, graph, run = _whose(usage, query)
        add(day, place, graph, run, query.warehouse, WAREHOUSE, "compute", query.nanos)
        add(day, place, graph, run, query.warehouse, ACCELERATION, "acceleration", query.acceleration)
    for on in usage.on:
        if on.attributed is not None:
            day = (DAY0 + on.hour * HOUR).date()
            left = max(on.nanos - on.attributed, 0)
            add(day, owner(on.warehouse), None, None, on.warehouse, WAREHOUSE, "idle", left)
    for hour in usage.task_hours:
        begin = DAY0 + hour.hour * HOUR
        ran = sorted(
            (
                task
                for task in usage.tasks
                if (task.name, task_schema(task)) == (hour.name, task_schema(hour))
                and minutes(task.began) < begin + HOUR
                and minutes(task.began + task.minutes) >= begin
            ),
            key=lambda task: task.run,
        )
        weights = [_overlap(minutes(t.began), t.minutes, begin, begin + HOUR) for t in ran]
        graph = hour.name.partition("$")[0]
        for run, nanos in _shared(hour.nanos, [t.run for t in ran], weights):
            add(begin.date(), hour.spoke, graph, run, None, SERVERLESS, "serverless", nanos)
    _add_pools(usage, add)
    for metered in usage.metering:
        day = (DAY0 + metered.hour * HOUR).date()
        mine = owner(metered.name)
        add(day, mine, None, None, metered.name, metered.service, "cloud", metered.cloud)
        if metered.service not in (WAREHOUSE, SERVERLESS, CONTAINERS, ACCELERATION):
            there = next((p for p, (_, schema) in PLACES.items() if schema == metered.schema), None)
            nanos = metered.nanos - metered.cloud
            add(day, there or mine, None, None, metered.name, metered.service, "other", nanos)
    explained: Counter[tuple[Any, ...]] = Counter()
    for (day, _, _, _, resource, service, _), nanos in costs.items():
        explained[day, service, resource if service == WAREHOUSE else None] -= nanos
    for metered in usage.metering:
        day = (DAY0 + metered.hour * HOUR).date()
        explained[day, metered.service, metered.name if metered.service == WAREHOUSE else None] += (
            metered.nanos
        )
    for (day, service, resource), nanos in explained.items():
        add(day, owner(resource), None, None, resource, service, "rest", nanos)
    return _without_zeros(costs), _without_zeros(runs)


def owner(name: str | None) -> tuple[str, str] | None:
    """Whom a warehouse or pool is called after."""
    found = [
        (len(schema), place)
        for place, (_, schema) in PLACES.items()
        if name is not None and (name.upper() == schema or name.upper().startswith(f"{schema}_"))
    ]
    return max(found)[1] if found else None


def _whose(usage: Usage, query: Query) -> tuple[tuple[str | None, str | None] | None, str | None, str | None]:
    root = query.root or f"q{query.number}"
    task = next((one for one in usage.tasks if one.query == root), None)
    refreshed = next((place for one, place in usage.refreshes if one == root), None)
    tag: dict[str, Any] = {}
    try:
        told = json.loads(query.tag or "")
        if told["app"] == "spokehub" and isinstance(told["spoke"], str):
            tag = told
    except (ValueError, KeyError, TypeError):
        pass
    tagged = (tag["spoke"], tag.get("environment")) if tag else None
    graph = task.name.partition("$")[0] if task else tag.get("graph")
    run = task.run if task else tag.get("run")
    place = (task.spoke if task else None) or refreshed or tagged or owner(query.warehouse)
    return place, graph, run


def _add_pools(usage: Usage, add: Any) -> None:
    costs: Counter[tuple[date, str]] = Counter()
    for one in usage.pools:
        costs[(DAY0 + one.hour * HOUR).date(), one.pool] += one.nanos
    named = [
        (t.query, _pool(t.text), minutes(t.began), t.minutes, t.spoke, t.name.partition("$")[0], t.run)
        for t in usage.tasks
    ] + [
        (f"j{j.number}", _pool(j.text), minutes(j.began), j.minutes, j.spoke, None, None) for j in usage.jobs
    ]
    for (day, pool), nanos in costs.items():
        begin = datetime.combine(day, datetime.min.time())
        there = [
            (query, spoke, graph, run, _overlap(began, took, begin, begin + timedelta(days=1)))
            for query, name, began, took, spoke, graph, run in sorted(named)
            if name == pool and began < begin + timedelta(days=1) and began + timedelta(minutes=took) >= begin
        ]
        if not there:
            add(day, owner(pool), None, None, pool, CONTAINERS, "container", nanos)
            continue
        for one, part in _shared(nanos, there, [weight for *_, weight in there]):
            _, spoke, graph, run, _ = one
            add(day, owner(pool) or spoke, graph, run, pool, CONTAINERS, "container", part)


def _pool(text: str) -> str | None:
    found = re.search(r'IN COMPUTE POOL ("[^"]+"|\w+)', text, re.IGNORECASE)
    if found is None:
        return None
    return found[1].strip('"') if found[1].startswith('"') else found[1].upper()


def _overlap(began: datetime, took: int, begin: datetime, end: datetime) -> int:
    ended = min(began + timedelta(minutes=took), end)
    return max(1, round((ended - max(began, begin)).total_seconds() * 1000))


def _shared(nanos: int, whom: list[Any], weights: list[int]) -> list[tuple[Any, int]]:
    """Shares in whole numbers; to nobody when there is nobody."""
    if not whom:
        return [(None, nanos)]
    total, upto, shares = sum(weights), 0, []
    for one, weight in zip(whom, weights, strict=True):
        shares.append((one, nanos * (upto + weight) // total - nanos * upto // total))
        upto += weight
    return shares


def _without_zeros(found: Counter[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    return Counter({key: value for key, value in found.items() if value})
