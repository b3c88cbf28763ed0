"""The example's set-up starts by itself with the embedded account, once, and its SQL is shown."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from services.core.errors import Invalid
from services.core.settings import AccountSettings, Settings, read_settings
from services.example.operations import ExampleOperations, Setup
from services.operations import OperationKind, Params, Registry, Step, StepContext
from tests.app.conftest import TestClient

FIND = "/api/v1/operations?kind=example.setup"


class Example(Params):
    spokes: tuple[str, ...]


def registry() -> Registry:
    def ask(context: StepContext, params: Example) -> Any:
        with context.connect() as connection:
            [row] = connection.cursor().execute("SELECT 40 + 2").fetchall()
        return {"answer": row[0], "spokes": params.spokes}

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
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path), "SPOKEHUB_EXAMPLE": "pudo"})
    items, sql = run(settings)
    assert [(i["state"], i["result"], i["actor"]) for i in items] == [
        ("succeeded", {"answer": 42, "spokes": ["pudo"]}, "spokehub")
    ]
    assert [(row["text"], row["step"], row["rows"]) for row in sql] == [("SELECT 40 + 2", "ask", 1)]
    assert sql[0]["query_id"]
    assert run(settings) == (items, sql)


def test_it_can_be_turned_off_and_is_not_for_other_accounts(tmp_path: Path) -> None:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path)})
    assert run(replace(settings, example=())) == ([], [])
    assert run(replace(settings, account=AccountSettings(kind="named", connection="x"))) == ([], [])


def test_only_its_own_spokes_can_be_named(tmp_path: Path) -> None:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path), "SPOKEHUB_EXAMPLE": "pudo, other"})
    with pytest.raises(Invalid) as refused:
        create_app(settings)
    assert refused.value.message == "SPOKEHUB_EXAMPLE names 'other'"


def operations(spokes: list[str]) -> list[str]:
    """The steps that a set-up of these spokes takes."""
    nobody: Any = None
    (kind,) = ExampleOperations(nobody, nobody).kinds()
    return [step.name for step in kind.steps_of(Setup(spokes=tuple(spokes)))]


def test_each_spoke_has_its_steps_and_the_day_is_common() -> None:
    made = ("onboard", "features", "graphs", "train", "promote", "backtest")
    assert operations(["pudo", "delivery"]) == [
        *("hub", "seed", "shared"),
        *(f"{step}_{spoke}" for step in made for spoke in ("pudo", "delivery")),
        *("morning", "predict_pudo", "predict_delivery", "evening", "evaluate_pudo", "evaluate_delivery"),
    ]
    alone = [*("hub", "seed", "shared"), *(f"{step}_delivery" for step in made)]
    assert operations(["delivery"]) == [
        *alone, "morning", "predict_delivery", "evening", "evaluate_delivery",
    ]  # fmt: skip


@pytest.mark.parametrize("spokes", [(), ("other",), ("pudo", "other")])
def test_a_set_up_of_anything_else_is_refused(spokes: tuple[str, ...]) -> None:
    nobody: Any = None
    with pytest.raises(Invalid):
        ExampleOperations(nobody, nobody).check(Setup(spokes=spokes))
