"""Costs by what caused them: their sum is the account's metering, and each is where it belongs."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usage import (
    ACCELERATION,
    CONTAINERS,
    DAY0,
    HOUR,
    PLACES,
    SERVERLESS,
    WAREHOUSE,
    Job,
    Metered,
    OnHour,
    PoolHour,
    Query,
    Task,
    TaskHour,
    Usage,
    reckon,
    write,
)

from services.costs.rolling import roll_up
from services.history import History, schema

NANOS = st.integers(0, 3_000_000_000)
HOURS = st.integers(0, 71)
MINUTES = st.integers(0, 71 * 60)
WAREHOUSES = st.sampled_from(["HUB_WH", "TIDES_DEV", "TIDES_PROD_BIG_WH", ""])
POOLS = st.sampled_from(["SHARED_POOL", "DUNE_DEV_POOL", "odd pool"])
OWNERS = st.sampled_from([None, *PLACES])
TASK_NAMES = st.sampled_from(["DAILY", "DAILY$FIT", "WEEKLY$SCORE"])
TEXTS = st.sampled_from(
    [
        "CALL X()",
        "EXECUTE JOB SERVICE IN COMPUTE POOL shared_pool NAME = J FROM @S",
        'execute job service in compute pool "odd pool" name = j from @s',
        "EXECUTE JOB SERVICE IN COMPUTE POOL DUNE_DEV_POOL",
    ]
)
TAGS = st.sampled_from(
    [
        None,
        "nightly",
        "[1]",
        '{"app": "spokehub", "spoke": 7}',
        '{"app": "other", "spoke": "tides"}',
        json.dumps({"app": "spokehub", "spoke": "dune", "environment": "DEV", "operation": "o1"}),
        json.dumps({"app": "spokehub", "spoke": "tides"}),
        json.dumps({"app": "spokehub", "spoke": "dune", "environment": "DEV", "graph": "ONCE", "run": "77"}),
        '{"app": "spokehub", "spoke": ',
    ]
)


@st.composite
def metered(draw: st.DrawFn) -> Metered:
    service = draw(st.sampled_from([WAREHOUSE, SERVERLESS, CONTAINERS, ACCELERATION, "AUTO_CLUSTERING"]))
    cloud = draw(st.integers(0, 50_000_000))
    return Metered(
        draw(HOURS),
        service,
        draw(WAREHOUSES) if service == WAREHOUSE else draw(st.sampled_from([None, "T", "TIDES_DEV_X"])),
        draw(NANOS) + cloud,
        cloud,
        draw(st.sampled_from([None, "DUNE_DEV", "SALES"])) if service == "AUTO_CLUSTERING" else None,
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    tasks = [
        Task(number, *each)
        for number, each in enumerate(
            draw(
                st.lists(
                    st.tuples(TASK_NAMES, st.just(""), MINUTES, st.integers(0, 300), OWNERS, TEXTS),
                    max_size=4,
                )
            )
        )
    ]
    tasks = [Task(t.number, t.name, f"{1000 + t.number}", t.began, t.minutes, t.spoke, t.text) for t in tasks]
    roots = st.sampled_from([None, "q0", "r1", *(task.query for task in tasks)])
    queries = draw(
        st.lists(st.tuples(WAREHOUSES, MINUTES, NANOS, roots, TAGS, st.integers(0, 9999)), max_size=6)
    )
    # What a task sends takes a minute and does not begin before the task.
    first = {task.query: task.began + 1 for task in tasks}
    jobs = draw(st.lists(st.tuples(TEXTS, MINUTES, st.integers(0, 3000), OWNERS), max_size=3))
    on = draw(st.lists(st.tuples(HOURS, WAREHOUSES, NANOS, st.none() | NANOS), max_size=4))
    return Usage(
        metering=draw(st.lists(metered(), max_size=8)),
        on=[OnHour(*each) for each in on],
        queries=[
            Query(number, warehouse, max(ended, first.get(root, 0)), nanos, root, *more)
            for number, (warehouse, ended, nanos, root, *more) in enumerate(queries)
        ],
        tasks=tasks,
        refreshes=draw(st.sampled_from([[], [("r1", ("dune", "DEV"))], [("q0", ("tides", "PROD"))]])),
        task_hours=[
            TaskHour(*each)
            for each in draw(st.lists(st.tuples(TASK_NAMES, HOURS, NANOS, OWNERS), max_size=4))
        ],
        pools=[PoolHour(*each) for each in draw(st.lists(st.tuples(POOLS, HOURS, NANOS), max_size=4))],
        jobs=[Job(number, *each) for number, each in enumerate(jobs)],
    )


def empty() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    schema.upgrade(db)
    return db


def rolled(db: duckdb.DuckDBPyConnection) -> tuple[Counter[Any], Counter[Any]]:
    """costs_daily and costs_runs, each row once."""
    found = []
    for table in ("costs_daily", "costs_runs"):
        rows = db.execute(f"SELECT * FROM {table}").fetchall()
        assert len({row[:-1] for row in rows}) == len(rows)
        found.append(Counter({row[:-1]: row[-1] for row in rows}))
    return found[0], found[1]


@pytest.fixture(scope="module")
def kept() -> duckdb.DuckDBPyConnection:
    return empty()


def cleared(db: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    for (name,) in db.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall():
        if name != "schema_version":
            db.execute(f"DELETE FROM {name}")
    return db


@settings(max_examples=30, deadline=None)
@given(usage=usages())
def test_the_lines_are_those_reckoned_by_hand_and_their_sum_is_the_metering(
    kept: duckdb.DuckDBPyConnection, usage: Usage
) -> None:
    db = cleared(kept)
    write(db, usage)
    roll_up(db, usage.days(), PLACES)
    costs, runs = rolled(db)
    assert (costs, runs) == reckon(usage)
    of_day: Counter[date] = Counter()
    for one in usage.metering:
        of_day[(DAY0 + one.hour * HOUR).date()] += one.nanos
    for day in usage.days():
        assert sum(nanos for key, nanos in costs.items() if key[0] == day) == of_day[day]


@settings(max_examples=10, deadline=None)
@given(usage=usages(), more=usages(), order=st.randoms(use_true_random=False))
def test_told_bit_by_bit_it_is_the_same_as_at_once(
    kept: duckdb.DuckDBPyConnection, usage: Usage, more: Usage, order: Any
) -> None:
    """In any order, some days twice; what a correction took away is gone."""
    db = cleared(kept)
    days = usage.days() | more.days()
    for wrong in more.parts():
        write(db, wrong)
    roll_up(db, more.days(), PLACES)
    cleared_sources(db)
    parts = usage.parts()
    order.shuffle(parts)
    for part in parts:
        write(db, part)
        told = part.days() or days
        roll_up(db, [*told, *told], PLACES)
    roll_up(db, days, PLACES)
    assert rolled(db) == reckon(usage)


def cleared_sources(db: duckdb.DuckDBPyConnection) -> None:
    for (name,) in db.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary").fetchall():
        if name not in ("schema_version", "costs_daily", "costs_runs"):
            db.execute(f"DELETE FROM {name}")


def test_other_days_stay_as_they_are(history: History) -> None:
    usage = Usage(metering=[Metered(hour, WAREHOUSE, "HUB_WH", 1_000_000_000, 0) for hour in (1, 25, 49)])
    with history.write() as db:
        write(db, usage)
        roll_up(db, usage.days(), PLACES)
        db.execute("DELETE FROM metering")
        roll_up(db, [date(2025, 7, 15)], PLACES)
    assert [row["day"] for row in history.rows("SELECT day FROM costs_daily ORDER BY day")] == [
        date(2025, 7, 14),
        date(2025, 7, 16),
    ]


def test_many_days_and_none(history: History) -> None:
    usage = Usage(metering=[Metered(24 * day, WAREHOUSE, "HUB_WH", day + 1, 0) for day in range(40)])
    with history.write() as db:
        roll_up(db, [], PLACES)
        write(db, usage)
        roll_up(db, usage.days(), {})
        costs, _ = rolled(db)
    assert sorted(costs.values()) == list(range(1, 41))


def test_a_schema_of_several_places_says_nothing_of_a_warehouse(history: History) -> None:
    places = {("tides", "DEV"): ("DEV_DB", "TIDES"), ("tides", "PROD"): ("PROD_DB", "TIDES")}
    with history.write() as db:
        write(db, Usage(queries=[Query(1, "TIDES_WH", 5, 7)]))
        roll_up(db, [DAY0.date()], places)
        costs, _ = rolled(db)
    assert {(key[1], key[6]): nanos for key, nanos in costs.items()} == {
        (None, "compute"): 7,
        (None, "rest"): -7,
    }
