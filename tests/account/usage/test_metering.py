"""Credits against a model that looks at every single second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import embedded_account.loaded  # noqa: F401  registers what the account answers
from embedded_account.account import Account
from embedded_account.session import Session
from embedded_account.statements import execute
from embedded_account.usage import metering, start
from embedded_account.usage.queries import QUERIES

BEGIN = datetime(2026, 3, 1, 9, 50, tzinfo=UTC)
SPAN = 5400


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    account = Account(tmp_path_factory.mktemp("account"))
    start(account)
    session = Session(account)
    execute(session, "create warehouse SMALL_WH warehouse_size = small auto_suspend = 120")
    execute(session, "create warehouse WH auto_suspend = 30")
    yield session
    account.close()


def note(session: Session, warehouse: str, at: int, seconds: int) -> None:
    who: Any = SimpleNamespace(
        database=None, schema=None, id=1, user="U", role="R", warehouse=warehouse, query_tag="", task=None
    )
    record = session.account.record_query
    assert record is not None
    record(cast(Session, who), "q", "select 1", "SELECT", BEGIN + timedelta(seconds=at), seconds, 1, None)


def model(runs: list[tuple[int, int]], tail: int) -> tuple[list[int], list[int]]:
    """The seconds that a warehouse is billed, and those in which it is busy.

    Each start is billed a minute at least, also where the next one comes within it:
    https://docs.snowflake.com/en/user-guide/warehouses-considerations (how are credits charged)
    """
    starts: list[list[int]] = []
    busy: set[int] = set()
    for at, seconds in sorted(runs):
        if not starts or at > starts[-1][1]:
            starts.append([at, at])
        starts[-1][1] = max(starts[-1][1], at + seconds + tail)
        busy |= set(range(at, at + seconds))
    billed = [second for begin, end in starts for second in range(begin, max(end, begin + 60))]
    return billed, sorted(busy)


@example({"WH": [(0, 1), (32, 1)]})
@given(
    st.dictionaries(
        st.sampled_from(["WH", "SMALL_WH"]),
        st.lists(st.tuples(st.integers(0, SPAN), st.integers(1, 900)), min_size=1, max_size=8),
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_credits_are_those_of_the_seconds(session: Session, runs: dict[str, list[tuple[int, int]]]) -> None:
    session.account.execute(f"DELETE FROM {QUERIES}")
    expected: dict[tuple[datetime, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for warehouse, found in runs.items():
        for at, seconds in found:
            note(session, warehouse, at, seconds)
        rate, tail = (1, 30) if warehouse == "WH" else (2, 120)
        for which, seconds_on in enumerate(model(found, tail)):
            for second in seconds_on:
                hour = (BEGIN + timedelta(seconds=second)).replace(minute=0, second=0)
                expected[hour, warehouse][which] += rate / 3600
    rows = metering.metered(session, BEGIN - timedelta(hours=1), BEGIN + timedelta(days=1))
    got = {(hour, name): (on, busy) for hour, name, on, busy, _ in rows}
    assert got.keys() == expected.keys()
    for key, values in expected.items():
        assert got[key] == pytest.approx(values)


def test_only_statements_that_compute_cost_credits(session: Session) -> None:
    session.account.execute(f"DELETE FROM {QUERIES}")
    execute(session, "show warehouses")
    execute(session, "alter warehouse WH set comment = 'x'")
    assert execute(session, "select * from snowflake.account_usage.warehouse_metering_history").rows() == []
    execute(session, "use warehouse WH")
    execute(session, "select 1")
    rows = execute(
        session,
        "select warehouse_name, credits_used = credits_used_compute, "
        "credits_used >= credits_attributed_compute_queries, "
        "credits_attributed_compute_queries > 0 from snowflake.account_usage.warehouse_metering_history",
    ).rows()
    assert rows == [("WH", True, True, True)]
    metered = execute(
        session, "select service_type, name from snowflake.account_usage.metering_history"
    ).rows()
    assert metered == [("WAREHOUSE_METERING", "WH")]


def test_a_warehouse_that_never_suspends_runs_on(session: Session) -> None:
    session.account.execute(f"DELETE FROM {QUERIES}")
    execute(session, "create or replace warehouse ON_WH auto_suspend = 0")
    note(session, "ON_WH", 0, 5)
    until = BEGIN + timedelta(days=40)
    rows = metering.metered(session, until - timedelta(hours=3), until)
    assert [(name, on, busy) for _, name, on, busy, _ in rows] == [("ON_WH", pytest.approx(1), 0)] * 3 + [
        ("ON_WH", pytest.approx(5 / 6), 0)
    ]
    execute(session, "drop warehouse ON_WH")
