"""The example's set-up starts by itself with the embedded account, once, and its SQL is shown."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.main import create_app
from services.core.settings import AccountSettings, Settings, read_settings
from services.operations import OperationKind, Params, Registry, Step, StepContext
from tests.app.conftest import TestClient

FIND = "/api/v1/operations?kind=example.setup"


class Example(Params):
    spoke: str


def registry() -> Registry:
    def ask(context: StepContext, params: Example) -> Any:
        with context.connect() as connection:
            [row] = connection.cursor().execute("SELECT 40 + 2").fetchall()
        return {"answer": row[0], "spoke": params.spoke}

    kind = OperationKind("example.setup", "Example", Example, [Step("ask", "Ask", ask)], lambda p: "example")
    return Registry([kind])


def run(settings: Settings) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    app = create_app(settings, registry())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for _ in range(600):
            items = client.get(FIND).json()["items"]
            if all(item["state"] not in ("pending", "running") for item in items):
                break
            time.sleep(0.1)
        sql = [row for item in items for row in client.get(item["links"]["sql"]).json()["items"]]
    return items, sql


def test_the_example_is_set_up_once(tmp_path: Path) -> None:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path)})
    items, sql = run(settings)
    assert [(i["state"], i["result"], i["actor"]) for i in items] == [
        ("succeeded", {"answer": 42, "spoke": "pudo"}, "spokehub")
    ]
    assert [(row["text"], row["step"], row["rows"]) for row in sql] == [("SELECT 40 + 2", "ask", 1)]
    assert sql[0]["query_id"]
    assert run(settings) == (items, sql)


def test_it_can_be_turned_off_and_is_not_for_other_accounts(tmp_path: Path) -> None:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path)})
    assert run(replace(settings, example=None)) == ([], [])
    assert run(replace(settings, account=AccountSettings(kind="named", connection="x"))) == ([], [])
