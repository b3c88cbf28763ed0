"""The snow command's usual calls on the embedded account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.account.conftest import AccountServer
from tests.programs.conftest import Run, rows

C = ["-c", "embedded"]
JSON = ["--format", "json"]


@pytest.fixture
def snow(tmp_path: Path, account_server: AccountServer, warehouse: str, drive: Run) -> Any:
    """Runs commands; what each printed, and its exit code."""
    rows(account_server, "CREATE OR REPLACE DATABASE SNOW")
    values = {**account_server.parameters, "database": "SNOW", "schema": "PUBLIC", "warehouse": warehouse}
    lines = [f"{key} = {json.dumps(value)}" for key, value in {**values, "role": "ACCOUNTADMIN"}.items()]
    config = tmp_path / "config.toml"
    config.write_text("[connections.embedded]\n" + "\n".join(lines) + "\n")
    config.chmod(0o600)

    def run(*commands: list[str]) -> list[tuple[int, str]]:
        every = [["--config-file", str(config), *one] for one in commands]
        told = drive("snow", every, HOME=str(tmp_path))
        return [(one["code"], one["output"]) for one in told]

    return run


def test_statements_and_the_connection(snow: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.sql"
    script.write_text("create table t as select <% n %> as n;\nselect n from t;\n")
    connection, query, file, wrong, newest = snow(
        ["connection", "test", *C, *JSON],
        ["sql", *C, *JSON, "-q", "select 1 as a; select 'ü' as b"],
        ["sql", *C, *JSON, "-f", str(script), "-D", "n=5"],
        ["sql", *C, "-q", "select nothing"],
        ["sql", *C, *JSON, "-q", "!queries amount=2"],
    )
    assert connection[0] == 0
    assert json.loads(connection[1])["Status"] == "OK"
    assert json.loads(query[1]) == [[{"A": 1}], [{"B": "ü"}]]
    assert json.loads(file[1])[1] == [{"N": 5}]
    assert wrong[0] == 1
    assert "000904" in wrong[1]
    assert newest[0] == 0
    assert "select nothing" in newest[1]
    assert "FAILED" in newest[1]


def test_stages(snow: Any, tmp_path: Path, account_server: AccountServer) -> None:
    up, down = tmp_path / "up", tmp_path / "down"
    up.mkdir()
    down.mkdir()
    (up / "one.sql").write_text("create table made as select 41 + 1 as x;\ninsert into made values (7);\n")
    (up / "two.csv").write_text("a,b\n")
    answers = snow(
        ["stage", "create", *C, "files"],
        ["stage", "copy", *C, str(up), "@files"],
        ["stage", "list-files", *C, *JSON, "files"],
        ["stage", "execute", *C, *JSON, "@files/one.sql"],
        ["stage", "copy", *C, "@files", str(down)],
        ["stage", "remove", *C, "files", "two.csv"],
        ["stage", "list-files", *C, *JSON, "files"],
        ["stage", "drop", *C, "files"],
    )
    assert [code for code, _ in answers] == [0] * 8, answers
    assert [one["name"] for one in json.loads(answers[2][1])] == ["files/one.sql", "files/two.csv"]
    assert (down / "two.csv").read_text() == "a,b\n"
    assert [one["name"] for one in json.loads(answers[6][1])] == ["files/one.sql"]
    assert rows(account_server, "SELECT X FROM SNOW.PUBLIC.MADE ORDER BY X") == [(7,), (42,)]


def test_objects(snow: Any) -> None:
    kinds = ("database", "schema", "table", "view", "warehouse", "role", "task", "compute-pool")
    listed = snow(*(["object", "list", *C, *JSON, kind] for kind in kinds))
    assert [(kind, code) for kind, (code, _) in zip(kinds, listed, strict=True)] == [
        (kind, 0) for kind in kinds
    ]
    table = json.dumps({"name": "t", "columns": [{"name": "id", "datatype": "number", "nullable": False}]})
    done = snow(
        ["object", "create", *C, "database", "name=made", "comment=it's mine"],
        ["object", "create", *C, "schema", "name=inner_one"],
        ["object", "create", *C, "table", "--json", table],
        ["object", "create", *C, "warehouse", "name=made_wh", "warehouse_size=xsmall"],
        ["object", "create", *C, "role", "name=made_role"],
        ["object", "create", *C, "--if-not-exists", "role", "name=made_role"],
        ["object", "describe", *C, *JSON, "warehouse", "made_wh"],
        ["object", "describe", *C, *JSON, "database", "SNOW"],
        ["object", "describe", *C, *JSON, "schema", "SNOW.PUBLIC"],
        ["object", "describe", *C, *JSON, "table", "t"],
        ["object", "drop", *C, "table", "t"],
        ["object", "drop", *C, "schema", "inner_one"],
        ["object", "drop", *C, "warehouse", "made_wh"],
        ["object", "drop", *C, "role", "made_role"],
        ["object", "drop", *C, "database", "made"],
    )
    assert [code for code, _ in done] == [0] * len(done), done
    assert {one["name"] for one in json.loads(done[7][1])} >= {"INNER_ONE", "PUBLIC"}
    assert [(one["name"], one["kind"]) for one in json.loads(done[8][1])] == [("T", "TABLE")]
    assert [(one["name"], one["null?"]) for one in json.loads(done[9][1])] == [("ID", "N")]


def test_what_is_not_there_is_refused_by_name(snow: Any) -> None:
    refused = snow(
        ["object", "create", *C, "user", "name=u"],
        ["object", "list", *C, "stream"],
        ["object", "create", *C, "role", "name=made_twice"],
        ["object", "create", *C, "role", "name=made_twice"],
        ["object", "drop", *C, "role", "made_twice"],
    )
    assert [code for code, _ in refused] == [1, 1, 0, 1, 0]
    assert "Create operation for type user is not supported" in refused[0][1]
    assert "Unsupported feature" in refused[1][1]
    assert "409 conflict" in refused[3][1]
