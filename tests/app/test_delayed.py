"""The same account twice, once with Account Usage three hours late: what is told is the same, and says of when."""

from __future__ import annotations

import os
import shutil
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import embedded_account.loaded
from app.main import create_app
from embedded_account.account import Account
from embedded_account.meters.settings import SETTINGS
from embedded_account.objects.dynamic_table_history import TABLE, history_table
from embedded_account.running import Running
from embedded_account.session import Session
from embedded_account.statements import execute
from embedded_account.tasks.runs import GRAPH_RUNS, TASK_RUNS
from embedded_account.usage import start
from services.core.hub import load_declaration
from services.core.settings import read_settings
from services.snowflake.embedded import EmbeddedAccount
from tests.app.conftest import TestClient
from tests.app.test_domains import Api
from tests.manifests import small

assert embedded_account.loaded

HUB = load_declaration()
DATABASE, SCHEMA, WAREHOUSE = HUB.databases[0], "ALPHA_DEV", HUB.warehouse.name
DELAY = timedelta(hours=3)
# Ages on both sides of what each source tells: an hour of graphs that ended, the delay, seven days.
AGES = {
    "now": timedelta(minutes=20), "hours": timedelta(hours=2), "border": DELAY - timedelta(minutes=15),
    "late": DELAY + timedelta(minutes=30),
    "later": DELAY + timedelta(minutes=70), "day": timedelta(hours=28), "days": timedelta(days=5),
    "week": timedelta(days=6, hours=22), "old": timedelta(days=8), "older": timedelta(days=40),
}  # fmt: skip
BROKEN = {"hours", "late", "old"}
# What says which source told of it, and when.
_HOW = {"seen_at", "source"}
LISTS = (
    "/graph-runs?limit=200",
    "/graph-runs?state=FAILED",
    "/graph-runs?sort=duration",
    "/graph-runs/daily",
    "/graph-runs/statistics",
    "/task-runs?limit=200",
    "/task-runs?error=nothing",
    "/failures",
    "/spokes/alpha/graphs/G/health",
)
TABLES = {
    "graph_runs": "run_id, attempt",
    "task_runs": "run_id, attempt, name",
    "refreshes": "started_at",
}
PAGES = (
    "/",
    "/runs",
    "/failures",
    "/costs",
    "/spokes/alpha",
    "/spokes/alpha/graphs/G",
    "/spokes/alpha/features",
    "/sync",
)


@cache
def began() -> datetime:
    """When the first test of this file did; the file may have been read long before."""
    return datetime.now(UTC).replace(microsecond=0)


def fill(folder: Path) -> None:
    """Runs, refreshes and statements of forty days, with what they cost."""
    account = Account(folder)
    start(account)
    session = Session(account)
    for sql in (
        f"CREATE WAREHOUSE {WAREHOUSE} AUTO_SUSPEND = 60",
        f"CREATE DATABASE {DATABASE}",
        f"CREATE SCHEMA {DATABASE}.{SCHEMA}",
    ):
        execute(session, sql)
    account.execute(f"UPDATE {SETTINGS} SET since = ?", [began() - timedelta(days=41)])
    history_table(session.duck, DATABASE)
    session.warehouse = WAREHOUSE
    for number, (name, age) in enumerate(sorted(AGES.items(), key=lambda one: -one[1])):
        _ran(session, number, began() - age, failed=name in BROKEN)
    account.close()


def _ran(session: Session, number: int, at: datetime, *, failed: bool) -> None:
    """A run of two tasks; a failed one is retried and then succeeds. A refresh beside it."""
    account = session.account
    assert account.record_query is not None
    run_id = int(at.timestamp() * 1000)
    for attempt in (1, 2) if failed else (1,):
        begun = at + timedelta(minutes=4 * (attempt - 1))
        broken = failed and attempt == 1
        ends = begun
        for task in ("G", "G$FIT"):
            if attempt == 2 and task == "G":
                continue
            bad = broken and task == "G$FIT"
            query = f"query-{number}-{attempt}-{task}"
            started, ends = ends + timedelta(seconds=1), ends + timedelta(seconds=61)
            running = Running(query, started, f"CALL {task}()", "CALL")
            account.record_query(session, running, 60.0, 1, None)
            account.execute(
                f"INSERT INTO {TASK_RUNS} BY NAME SELECT ? AS \"group\", ? AS attempt, ? AS \"name\", ? AS task_id,"
                " ? AS state, ? AS query_text, ?::TIMESTAMPTZ AS scheduled, ? AS warehouse, ? AS query_id,"
                " ?::TIMESTAMPTZ AS started, ?::TIMESTAMPTZ AS completed, ? AS error_code, ? AS error_message,"
                " ? AS return_value",
                [
                    number, attempt, task, f"id-{task}", "FAILED" if bad else "SUCCEEDED", f"CALL {task}()", begun,
                    WAREHOUSE, query, started, ends, "100183" if bad else None,
                    f"ValueError: nothing of day {number}" if bad else None, None if bad else f"{number}",
                ],
            )  # fmt: skip
        account.execute(
            f"INSERT INTO {GRAPH_RUNS} BY NAME SELECT ? AS \"group\", ? AS attempt, 'id-G' AS root_id,"
            " ? AS \"database\", ? AS \"schema\", 'G' AS root, 1 AS version, ? AS run_id, ? AS state,"
            " ? AS scheduled_from, ? AS config, ?::TIMESTAMPTZ AS scheduled, ?::TIMESTAMPTZ AS original_scheduled,"
            " ?::TIMESTAMPTZ AS started, ?::TIMESTAMPTZ AS completed, ? AS first_error_task, ? AS first_error_code,"
            " ? AS first_error_message",
            [
                number, attempt, DATABASE, SCHEMA, run_id, "FAILED" if broken else "SUCCEEDED",
                "SCHEDULE" if attempt == 1 else "MANUAL RETRY", f'{{"day": {number}}}', begun, at,
                begun + timedelta(seconds=1), ends, "G$FIT" if broken else None, "100183" if broken else None,
                f"ValueError: nothing of day {number}" if broken else None,
            ],
        )  # fmt: skip
    query = f"query-{number}-refresh"
    account.record_query(session, Running(query, at, "ALTER DYNAMIC TABLE D REFRESH", "ALTER"), 20.0, 1, None)
    session.duck.execute(
        f"INSERT INTO {DATABASE}.__catalog.{TABLE} BY NAME SELECT 'D' AS \"name\", ? AS schema_name, ? AS state,"
        " ? AS query_id, ?::TIMESTAMPTZ AS data_timestamp, data_timestamp AS refresh_start_time,"
        " ?::TIMESTAMPTZ AS refresh_end_time, 'INCREMENTAL' AS refresh_action, 'SCHEDULED' AS refresh_trigger,"
        " 3600 AS target_lag_sec, ? AS warehouse",
        [SCHEMA, "FAILED" if failed else "SUCCEEDED", query, at, at + timedelta(seconds=20), WAREHOUSE],
    )


@dataclass
class Place:
    """A service before its account."""

    api: Api
    embedded: EmbeddedAccount

    def history(self, table: str, order: str) -> list[dict[str, Any]]:
        history = self.api.client.app.state.domains.health._history
        return [_plain(row) for row in history.rows(f"SELECT * FROM {table} ORDER BY {order}")]

    def as_of(self, path: str) -> datetime:
        answer = self.api.client.get(f"/api/v1{path}")
        return datetime.fromisoformat(answer.headers["Spokehub-As-Of"])

    def sources(self) -> dict[str, set[str]]:
        """Which source told of runs' tasks, by age."""
        history = self.api.client.app.state.domains.health._history
        told = history.rows(
            "SELECT DISTINCT config ->> '$.day' AS day, source FROM task_runs WHERE name = 'G'"
        )
        names = [name for name, _ in sorted(AGES.items(), key=lambda one: -one[1])]
        found: dict[str, set[str]] = {}
        for row in told:
            found.setdefault(row["source"], set()).add(names[int(row["day"])])
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in _HOW}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


@contextmanager
def served(folder: Path, filled: Path, delay: timedelta) -> Iterator[Place]:
    shutil.copytree(filled, folder / "account")
    settings = read_settings(
        {
            "SPOKEHUB_DATA": str(folder), "SPOKEHUB_EXAMPLE": "none", "SPOKEHUB_SYNC_SECONDS": "0",
            "SPOKEHUB_ACCOUNT_USAGE_DELAY": str(delay.total_seconds()),
        }
    )  # fmt: skip
    embedded = EmbeddedAccount.of(settings)
    assert embedded is not None
    with TestClient(create_app(settings, embedded=embedded), base_url="http://127.0.0.1") as client:
        catalogue = client.app.state.domains.spokes.catalogue
        catalogue.enter(small("alpha"), "DEV")
        catalogue.activate("alpha", "DEV")
        place = Place(Api(client), embedded)
        for _ in range(2):
            result = place.api.done("/sync")
            assert result["errors"] == {}
        yield place


def told(place: Place) -> dict[str, Any]:
    """Whole lists, each run, and the tables behind them."""
    found: dict[str, Any] = {address: _plain(place.api.get(address)) for address in LISTS}
    for table, order in TABLES.items():
        found[table] = place.history(table, order)
    for run in place.api.get("/graph-runs?limit=200")["items"]:
        address = f"/spokes/alpha/graphs/G/runs/{run['run_id']}/health?attempt={run['attempt']}"
        # What a run cost is told later.
        found[address] = _plain(place.api.get(address)) | {"credits": None}
    return found


def costs(place: Place) -> dict[str, Any]:
    """Of the days of which both accounts have told everything, of all, and of runs."""
    told_to = (began() - DELAY - timedelta(hours=1)).date()
    days = {"since": str((began() - timedelta(days=60)).date()), "until": str(told_to - timedelta(days=1))}
    by = ["day", "kind", "graph", "spoke", "resource"]
    runs = place.api.get("/costs/runs", period="365", limit=200)["items"]
    return {
        "days": place.api.get("/costs", by=by, limit=1000, **days)["items"],
        "report": place.api.get("/costs/report", period="365"),
        "runs": {one["run_id"]: one for one in runs},
        "pages": {
            run: place.api.get(f"/spokes/alpha/graphs/G/runs/{run}/health")["credits"]
            for run in {one["run_id"] for one in place.api.get("/graph-runs?limit=200")["items"]}
        },
    }


def ages(place: Place) -> dict[str, timedelta]:
    """How long ago each is told to be as of; every page is there."""
    for page in PAGES:
        assert place.api.client.get(page, headers={"accept": "text/html"}).status_code == 200, page
    now = datetime.now(UTC)
    return {address: now - place.as_of(address) for address in ("/graph-runs", "/task-runs", "/costs")}


@dataclass
class AtOnce:
    """What the account told that is not late. One process has one queue, so it is over before the other begins."""

    told: dict[str, Any]
    costs: dict[str, Any]
    ages: dict[str, timedelta]
    sources: dict[str, set[str]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AtOnce, Place]]:
    folder = tmp_path_factory.mktemp("delayed")
    fill(folder / "filled")
    with warnings.catch_warnings():
        with served(folder / "at_once", folder / "filled", timedelta()) as place:
            first = AtOnce(told(place), costs(place), ages(place), place.sources())
        with served(folder / "late", folder / "filled", DELAY) as place:
            yield first, place


def test_the_lists_are_the_same(both: tuple[AtOnce, Place]) -> None:
    at_once, late = both
    assert {table: len(at_once.told[table]) for table in TABLES} == {
        "graph_runs": 13, "task_runs": 23, "refreshes": 10,
    }  # fmt: skip
    found = told(late)
    assert set(found) == set(at_once.told)
    for name, value in found.items():
        assert value == at_once.told[name], name
    assert at_once.sources == {"usage": set(AGES)}
    assert late.sources() == {
        "usage": {"late", "later", "day", "days", "week", "old", "older"},
        "live": {"now", "hours", "border"},
    }


def test_costs_are_told_as_far_as_they_are_known(both: tuple[AtOnce, Place]) -> None:
    at_once, late = both
    found = costs(late)
    assert found["days"] == at_once.costs["days"]
    assert {one["graph"] for one in found["days"] if one["kind"] == "compute"} >= {"G"}
    for one in (found, at_once.costs):
        assert one["report"]["total"] == one["report"]["metering"] == one["report"]["account"]
        # The same figure on a run's page and in the list.
        known = {run: row["credits"] for run, row in one["runs"].items()}
        assert {run: cost for run, cost in one["pages"].items() if cost is not None} == known
    old = {
        run["run_id"]
        for run in at_once.told["/graph-runs?limit=200"]["items"]
        if datetime.fromisoformat(run["scheduled_at"]) < began() - DELAY - timedelta(minutes=10)
    }
    assert set(found["runs"]) == old < set(at_once.costs["runs"])
    assert found["runs"] == {run: at_once.costs["runs"][run] for run in old}


def test_each_says_as_of_when_it_is(both: tuple[AtOnce, Place]) -> None:
    at_once, late = both
    little, hours = timedelta(minutes=5), timedelta(minutes=75)
    for found in (at_once.ages, ages(late)):
        for address in ("/graph-runs", "/task-runs"):
            assert timedelta() <= found[address] < little
    # The metering tells of whole hours.
    assert timedelta() <= at_once.ages["/costs"] < hours
    assert DELAY <= ages(late)["/costs"] < DELAY + hours


def test_what_was_late_comes_and_nothing_is_double(both: tuple[AtOnce, Place]) -> None:
    """As if three hours had passed: the account, started anew, tells all of it."""
    at_once, late = both
    late.embedded.usage_delay = 0.0
    before = late.embedded.address().pid
    os.kill(before, signal.SIGKILL)
    end = time.monotonic() + 60
    while late.embedded.address().pid == before:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert late.api.done("/sync")["errors"] == {}
    found = told(late)
    for name, value in found.items():
        assert value == at_once.told[name], name
    assert late.sources() == {"usage": set(AGES)}
    assert costs(late)["runs"] == at_once.costs["runs"]
    assert len(at_once.costs["runs"]) == len(AGES)
