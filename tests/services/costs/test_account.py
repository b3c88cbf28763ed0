"""Costs of an embedded account in which work was done: they are what its views say, to the last credit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.core.hub import load_declaration
from services.core.settings import AccountSettings
from services.costs.asked import CostFilter
from services.costs.repository import Credits
from services.history import History
from services.history.runs import RunWriter
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.sync.reader import Account, Readers, Row
from services.sync.repository import Readings
from services.sync.sources import METERING, UsageView
from services.sync.stitching import Stitching

HUB = load_declaration()
DATABASE = HUB.databases[0]
PLACES = {("alpha", "DEV"): (DATABASE, "ALPHA_DEV"), ("beta", "DEV"): (DATABASE, "BETA_DEV")}
# Longer than what is charged to nobody.
WORK = "SELECT SYSTEM$WAIT(0.3)"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSource]:
    """An account in which two spokes and others worked."""
    folder = tmp_path_factory.mktemp("account")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    account.address()
    source = ConnectionSource(AccountSettings(), account, HUB)
    source.query(f"CREATE DATABASE {DATABASE}")
    for schema in ("ALPHA_DEV", "BETA_DEV"):
        source.query(f"CREATE SCHEMA {DATABASE}.{schema}")
    for warehouse in (HUB.warehouse.name, "SHARED_WH", "BETA_DEV_WH"):
        source.query(f"CREATE WAREHOUSE {warehouse}")
    source.renew()
    graph = f"{DATABASE}.ALPHA_DEV.G"
    source.query(f"CREATE TASK {graph} WAREHOUSE = SHARED_WH AS {WORK}")
    source.query(f"CREATE TASK {graph}$FIT WAREHOUSE = SHARED_WH AFTER {graph} AS {WORK}")
    source.query(f"CREATE TASK {graph}$FREE AFTER {graph} AS {WORK}")
    source.query(f"SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('{graph}')")
    source.query(f"EXECUTE TASK {graph}")
    for tag, warehouse in (
        ({"spoke": "alpha", "environment": "DEV", "operation": "o1"}, "SHARED_WH"),
        ({"operation": "o2"}, "SHARED_WH"),
        (None, "SHARED_WH"),
        (None, "BETA_DEV_WH"),
    ):
        with source.open(tag=tag, warehouse=warehouse) as connection, connection.cursor() as cursor:
            cursor.execute(WORK)
            cursor.execute("SELECT 1")
    deadline = time.monotonic() + 60
    while not source.query(f"SELECT 1 FROM TABLE({DATABASE}.INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield source
    source.close()
    account.stop()


class Listening:
    """The account, and what it told of its metering."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.metering: list[Row] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    def usage(self, view: UsageView, *asked: Any) -> Iterator[list[Row]]:
        for part in self._account.usage(view, *asked):
            self.metering += part if view is METERING else []
            yield part


def test_what_the_account_says_is_what_is_told(source: ConnectionSource, tmp_path: Path) -> None:
    history = History(tmp_path / "history.duckdb")
    history.open()
    readings = Readings(history)
    place = {where: place for place, where in PLACES.items()}
    stitching = Stitching(
        readings,
        RunWriter(history),
        lambda database, schema, name=None: place.get((database, schema)),
        HUB.databases,
        lambda: datetime.now(UTC),
    )
    with Readers().open(source.open) as account:
        listening = Listening(account)
        for reading in stitching.usage(listening, 2, False, lambda fraction, words: None):
            assert reading.error is None or "CONTAINER" in reading.error.upper(), reading
    today = datetime.now(UTC).date()
    readings.reckon(PLACES, today)
    assert history.rows("SELECT * FROM costs_due") == []

    credits, wanted = Credits(history), CostFilter(today - timedelta(days=2), today)
    billed: Counter[str] = Counter()
    for row in listening.metering:
        billed[f"{row['SERVICE_TYPE']}/{row['NAME']}"] += round(row["CREDITS_USED"] * 1e9)
    assert (
        credits.account(wanted.since, wanted.until)
        == sum(billed.values())
        == credits.metered(wanted.since, wanted.until)
    )
    by_name: Counter[str] = Counter()
    for (service, resource, _), nanos in credits.group(wanted, ("service", "resource", "kind"), 1000):
        by_name[f"{service}/{resource or 'G$FREE'}"] += nanos
    assert by_name == billed
    assert set(by_name) == {
        f"WAREHOUSE_METERING/{HUB.warehouse.name}",
        "WAREHOUSE_METERING/SHARED_WH",
        "WAREHOUSE_METERING/BETA_DEV_WH",
        "SERVERLESS_TASK/G$FREE",
    }

    mine = {
        (spoke, graph, resource, kind)
        for (spoke, graph, resource, kind), nanos in credits.group(
            wanted, ("spoke", "graph", "resource", "kind"), 1000
        )
        # The warehouses went on between the reading of one view and that of the next: so much is not explained.
        if resource != HUB.warehouse.name and nanos > 0 and kind != "rest"
    }
    assert mine == {
        ("alpha", "G", "SHARED_WH", "compute"),
        ("alpha", "G", None, "serverless"),
        ("alpha", None, "SHARED_WH", "compute"),
        (None, None, "SHARED_WH", "compute"),
        (None, None, "SHARED_WH", "idle"),
        ("beta", None, "BETA_DEV_WH", "compute"),
        ("beta", None, "BETA_DEV_WH", "idle"),
    }
    [run] = credits.runs(CostFilter(wanted.since, wanted.until, graph="G"), 10, 0)
    assert set(run.kinds) == {"compute", "serverless"}
    assert credits.of_run("alpha", "DEV", "G", run.run_id) == run
    history.close()
