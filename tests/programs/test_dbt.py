"""A dbt project on the embedded account: seeds, models of every kind, snapshots, tests, documentation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.account.conftest import AccountServer
from tests.programs.conftest import Run, project, rows

MODELS = {"staged", "large", "daily", "appended"}
BUILD = [["build"], ["build"]]
FIRST = [["seed"], ["run"], ["test"], ["snapshot"], ["docs", "generate"], *BUILD]


@pytest.fixture
def parcels(tmp_path: Path, account_server: AccountServer, warehouse: str) -> Path:
    rows(account_server, "CREATE OR REPLACE DATABASE DBT")
    return project("dbt_project", tmp_path)


def commands(folder: Path, *wanted: list[str]) -> list[list[str]]:
    where = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    logs = ["--log-path", str(folder / "logs"), "--no-send-anonymous-usage-stats"]
    return [[*one, *where, *logs] for one in wanted]


def test_a_project_is_built_tested_and_documented(
    parcels: Path, account_server: AccountServer, drive: Run
) -> None:
    port = str(account_server.connection["port"])
    done = drive("dbt", commands(parcels, *FIRST), ACCOUNT_PORT=port, HOME=str(parcels))
    for one in done:
        assert one["success"], one
        assert {status for status, _ in one["nodes"].values()} <= {"success", "pass"}, one
    assert set(done[1]["nodes"]) == MODELS
    assert len(done[2]["nodes"]) == 6
    assert set(done[5]["nodes"]) == set(done[6]["nodes"]) > {"points", "history", *MODELS}
    assert rows(account_server, "SELECT ID, NAME, DAY, CAPACITY, NOTE FROM DBT.PARCELS.POINTS WHERE ID = 3")[
        0
    ][4] == ("with, comma")
    assert rows(account_server, "SELECT ID, TWICE FROM DBT.PARCELS.LARGE ORDER BY ID") == [(1, 80), (2, 120)]
    assert rows(account_server, "SELECT ID FROM DBT.PARCELS.DAILY ORDER BY ID") == [(1,), (2,), (3,)]
    kinds = rows(account_server, "SHOW TERSE OBJECTS IN SCHEMA DBT.PARCELS")
    assert {(name, kind) for _, name, kind, *_ in kinds} == {
        ("POINTS", "TABLE"), ("STAGED", "VIEW"), ("LARGE", "TABLE"), ("DAILY", "TABLE"), ("APPENDED", "TABLE"),
        ("HISTORY", "TABLE"),
    }  # fmt: skip
    grants = rows(account_server, "SHOW GRANTS ON DBT.PARCELS.LARGE")
    assert [(grant[1], grant[5]) for grant in grants] == [("SELECT", "PUBLIC")]
    catalog = json.loads((parcels / "target" / "catalog.json").read_text())
    large = catalog["nodes"]["model.parcels.large"]
    assert list(large["columns"]) == ["ID", "NAME", "TWICE"]
    assert large["stats"]["clustering_key"]["value"].upper() == "LINEAR(ID)"


def test_what_changes_is_followed(parcels: Path, account_server: AccountServer, drive: Run) -> None:
    """A snapshot keeps what was, an incremental model takes what is new, a new column is appended."""
    port = str(account_server.connection["port"])
    where = {"ACCOUNT_PORT": port, "HOME": str(parcels)}
    (first,) = drive("dbt", commands(parcels, ["build"]), **where)
    assert first["success"], first
    seed = parcels / "seeds" / "points.csv"
    seed.write_text(seed.read_text().replace("2,Station,2025-01-02,60", "2,Station,2025-01-02,65"))
    with seed.open("a") as file:
        file.write("4,Harbour,2025-01-04,90,\n")
    daily = parcels / "models" / "daily.sql"
    daily.write_text(daily.read_text().replace("id, day,", "id, day, name,"))
    (second,) = drive("dbt", commands(parcels, ["build"]), **where)
    assert second["success"], second
    history = rows(
        account_server,
        "SELECT ID, CAPACITY, DBT_VALID_TO IS NULL FROM DBT.PARCELS.HISTORY ORDER BY ID, CAPACITY",
    )
    assert history == [(1, 40, True), (2, 60, False), (2, 65, True), (3, 25, True), (4, 90, True)]
    assert rows(account_server, "SELECT ID, NAME FROM DBT.PARCELS.DAILY ORDER BY ID") == [
        (1, None), (2, None), (3, "Market"), (4, "Harbour"),
    ]  # fmt: skip
