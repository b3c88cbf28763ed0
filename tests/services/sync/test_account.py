"""Reading an embedded account, whole operations: what it brings, what it sends, and what it does when it cannot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.core.errors import Conflict, NotFound, Unavailable
from services.core.hub import load_declaration
from services.core.settings import AccountSettings, SyncSettings
from services.db.engine import Database
from services.history import History
from services.history.runs import RunWriter
from services.knowledge import Knowledge, KnownAnswers
from services.knowledge.repository import KnownRecords
from services.operations import OperationFilter, Operations, OperationState, Registry, runner
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.spokes.places import Places
from services.spokes.repository import Catalogue
from services.spokes.service import Spokes
from services.sync.operations import SyncOperations
from services.sync.repository import Readings
from services.sync.schedule import Schedule
from services.sync.service import Sync
from services.sync.sources import KIND, USAGE
from tests.manifests import small

HUB = load_declaration()
DATABASE = HUB.databases[0]
MANIFEST = small("alpha")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    folder = tmp_path_factory.mktemp("account")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    account.address()
    source = ConnectionSource(AccountSettings(), account, HUB)
    source.query(f"CREATE DATABASE {DATABASE}")
    source.query(f"CREATE SCHEMA {DATABASE}.ALPHA_DEV")
    source.query(f"CREATE WAREHOUSE {HUB.warehouse.name}")
    source.renew()
    source.query(f"CREATE TASK {DATABASE}.ALPHA_DEV.G AS SELECT 1")
    source.query(f"CREATE TASK {DATABASE}.ALPHA_DEV.G$A AFTER {DATABASE}.ALPHA_DEV.G AS SELECT 1 / 0")
    source.query(f"SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('{DATABASE}.ALPHA_DEV.G')")
    source.query(f"EXECUTE TASK {DATABASE}.ALPHA_DEV.G")
    deadline = time.monotonic() + 60
    while not source.query(f"SELECT 1 FROM TABLE({DATABASE}.INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    source.query(f"CREATE TABLE {DATABASE}.ALPHA_DEV.T AS SELECT 1 AS A")
    source.query(
        f"CREATE DYNAMIC TABLE {DATABASE}.ALPHA_DEV.D TARGET_LAG = '1 day' WAREHOUSE = {HUB.warehouse.name}"
        f" AS SELECT A FROM {DATABASE}.ALPHA_DEV.T"
    )
    source.close()
    yield account
    account.stop()


class World:
    def __init__(self, account: EmbeddedAccount, database: Database, folder: Path) -> None:
        self.source = ConnectionSource(AccountSettings(), account, HUB)
        self.history = History(folder / "history.duckdb")
        self.history.open()
        self.operations = Operations(
            Registry(), database, url=f"sqlite:///{folder / 'operations.sqlite'}", source=self.source
        )
        catalogue = Catalogue(database, HUB.layout)
        catalogue.enter(MANIFEST, "DEV")
        catalogue.activate("alpha", "DEV")
        places = Places(catalogue, HUB.layout)
        spokes = Spokes(HUB, catalogue, self.source, self.operations)
        readings = Readings(self.history)
        schedule = Schedule(readings, self.operations, None, timedelta())
        records = KnownRecords(database)
        self.answers = KnownAnswers(self.source, records)
        self.knowledge = Knowledge(self.answers, records, catalogue.onboarded)
        self.sync = Sync(
            HUB,
            SyncSettings(),
            readings,
            RunWriter(self.history),
            places,
            spokes.scope,
            self.operations,
            schedule,
            self.knowledge,
        )
        for kind in SyncOperations(self.sync).kinds():
            self.operations.registry.add(kind)
        self.operations.start()

    def run(self, **params: Any) -> Any:
        view = self.operations.submit(KIND, params, actor="ada")
        return self.operations.wait(view.id, 60)

    def count(self, table: str) -> int:
        return int(self.history.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])


@pytest.fixture
def world(account: EmbeddedAccount, database: Database, tmp_path: Path) -> Iterator[World]:
    world = World(account, database, tmp_path)
    yield world
    assert world.operations.stop(20)
    world.source.close()
    world.history.close()


def test_all_is_read(world: World) -> None:
    view = world.run()
    assert view.state == OperationState.SUCCEEDED, view.error
    tasks = world.history.rows("SELECT name, state, spoke, environment, source FROM task_runs ORDER BY name")
    assert tasks == [
        {"name": "G", "state": "SUCCEEDED", "spoke": "alpha", "environment": "DEV", "source": "usage"},
        {"name": "G$A", "state": "FAILED", "spoke": "alpha", "environment": "DEV", "source": "usage"},
    ]
    [refresh] = world.history.rows(
        "SELECT name, state, spoke, environment, source, target_lag_seconds, warehouse_name FROM refreshes"
    )
    assert refresh == {
        "name": "D", "state": "SUCCEEDED", "spoke": "alpha", "environment": "DEV", "source": "usage",
        "target_lag_seconds": 86_400, "warehouse_name": HUB.warehouse.name,
    }  # fmt: skip
    of_task = world.history.rows(
        "SELECT queries.spoke, queries.graph FROM queries JOIN task_runs USING (query_id) ORDER BY name"
    )
    assert of_task == [{"spoke": "alpha", "graph": "G"}] * len(of_task)
    assert of_task
    assert world.count("warehouse_metering") >= 1
    assert world.count("metering") >= 1


def test_what_the_account_does_not_have_is_told_and_stops_nothing(world: World) -> None:
    view = world.run()
    missing = {one.name for one in world.sync.status().sources if one.error}
    assert set(view.result["errors"]) == missing
    assert all("does not do this" in text for text in view.result["errors"].values())
    read = {one.name for one in world.sync.status().sources if one.as_of is not None}
    assert read | missing >= {view.name for view in USAGE if view.table != "graph_runs"}


def test_reading_again_sends_little_and_changes_nothing(world: World) -> None:
    world.run()
    before = {table: world.count(table) for table in ("task_runs", "refreshes", "warehouse_metering")}
    view = world.run()
    statements = [line.text for line in world.operations.sql(view.id).items]
    # SHOW WAREHOUSES; the clock, runs of two kinds and their tasks in each database, refreshes; the clock, nine views.
    bound = 1 + (2 + 3 * len(HUB.databases)) + (1 + len(USAGE))
    assert len(statements) == view.result["statements"]
    assert len(statements) <= bound
    assert len({text for text in statements if "CURRENT_TIMESTAMP" not in text}) == len(statements) - 2
    assert {table: world.count(table) for table in before} == before


def test_a_free_reading_uses_no_warehouse(world: World) -> None:
    view = world.run(reach="free")
    assert (view.state, view.result["warehouse"]) == (OperationState.SUCCEEDED, False)
    assert world.operations.sql(view.id).items == ()


def test_what_is_sent_for_objects_is_counted(world: World) -> None:
    world.knowledge.learns(
        "hub", lambda: world.answers.query("SHOW WAREHOUSES"), lambda: world.answers.query("SHOW ROLES")
    )
    view = world.run(reach="free")
    (objects,) = (one for one in world.sync.status().sources if one.kind == "catalogue")
    assert (objects.statements, view.result["statements"], world.sync.status().cost.statements) == (2, 2, 2)


def test_without_the_hub_nothing_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = replace(HUB, warehouse=replace(HUB.warehouse, name="NOWHERE_WH"))
    monkeypatch.setattr(world.sync, "_hub", elsewhere)
    view = world.run()
    assert view.state == OperationState.SUCCEEDED, view.error
    assert view.result["errors"] == {"warehouse": "There is no warehouse NOWHERE_WH: apply the hub"}
    assert len(world.operations.sql(view.id).items) == 1
    assert world.sync.status().failure == "There is no warehouse NOWHERE_WH: apply the hub"


def test_an_account_that_is_away_fails_the_reading_and_keeps_what_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    before = world.sync.status().sources
    monkeypatch.setattr(runner, "_RETRY_WAITS", ())

    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The account does not answer: gone", code="account_unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(world.source, "open", away)
        view = world.run(usage=False)
    assert (view.state, view.error.code) == (OperationState.FAILED, "account_unavailable")
    status = world.sync.status()
    # Nothing is asked for the catalogue here.
    kept = [[one for one in sources if one.kind != "catalogue"] for sources in (before, status.sources)]
    assert kept[0] == kept[1]
    assert status.failure == "The account does not answer: gone"
    assert view.id in {one.id for one in world.operations.list(OperationFilter(routine=False)).items}
    assert world.run(usage=False, days=401).state == OperationState.SUCCEEDED
    assert world.sync.status().failure is None


def test_one_spoke_is_read_alone(world: World) -> None:
    view = world.operations.wait(world.sync.start("ada", "alpha", "DEV").id, 60)
    assert view.state == OperationState.SUCCEEDED, view.error
    assert [step.name for step in view.steps] == ["catalogue", "live"]
    assert world.count("task_runs") == 2
    # Others were not read: the next reading begins where none was.
    assert all(one.as_of is None for one in world.sync.status().sources)


def test_a_spoke_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        world.sync.start("ada", "nobody", "DEV")
    with pytest.raises(Conflict):
        world.sync.start("ada", "alpha", "PROD")


def test_two_at_once_are_one(world: World) -> None:
    assert world.sync.start("ada").id == world.sync.start("grace").id


def test_readings_are_left_out_of_lists(world: World) -> None:
    view = world.run(reach="free")
    shown = world.operations.list(OperationFilter(routine=False)).items
    assert view.id not in {one.id for one in shown}
    assert [one.id for one in world.operations.list(OperationFilter(kind=KIND, routine=False)).items] == [
        view.id
    ]


def test_status_says_what_it_cost(world: World) -> None:
    assert world.sync.status().as_of is None
    view = world.run()
    status = world.sync.status()
    [tasks] = [one for one in status.sources if one.name == "usage.task_history"]
    assert (tasks.rows, tasks.new, tasks.error) == (2, 0, None)
    assert tasks.since is not None
    assert tasks.since < datetime.now(UTC) - timedelta(days=399)
    assert status.cost.statements == view.result["statements"]
    assert status.cost.warehouse_readings == 3
    assert status.running is None
