"""A spoke of no kind that the service was written beside goes every way and shows on every page and route."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.addresses import path
from app.main import create_app
from services.core.settings import read_settings
from services.snowflake import deployer
from services.snowflake.embedded import EmbeddedAccount
from tests.account.fault_proxy import FaultProxy
from tests.app.conftest import TestClient
from tests.app.test_domains import Api

THIRD = Path(__file__).resolve().parents[1] / "third"
LEVEL, FLOOD, SCORE = "daily/train level", "daily/train flood", "hourly/score"
MODEL = "TIDES__level/model"
KEY = ["north/pier", 'A "1"']


class Counted(Api):
    """What the account is asked is counted before it."""

    def __init__(self, client: Any, proxy: FaultProxy) -> None:
        super().__init__(client)
        self.proxy = proxy


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = str(tmp_path_factory.mktemp("third"))
    settings = read_settings(
        {"SPOKEHUB_DATA": folder, "SPOKEHUB_EXAMPLE": "none", "SPOKEHUB_SYNC_SECONDS": "0"}
    )
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        patched.setattr(deployer, "SPOKES", THIRD)
        embedded = EmbeddedAccount.of(settings)
        assert embedded is not None
        where = embedded.address

        def target() -> tuple[str, int]:
            address = where()
            return address.host, address.port

        with (
            FaultProxy(target) as proxy,
            proxy.before(embedded),
            TestClient(create_app(settings, embedded=embedded), base_url="http://127.0.0.1") as client,
        ):
            made = Counted(client, proxy)
            made.done("/hub/apply")
            made.done("/spokes", {"spoke": "tides"})
            yield made


def runs(graph: str) -> str:
    return path("/spokes/tides/graphs/{}/runs", graph)


def test_its_graphs_are_deployed_and_told_of(api: Api) -> None:
    changes = api.done("/spokes/tides/deployments", {"part": "graphs"})["changes"]
    assert [(one["name"], one["action"]) for one in changes if one["kind"] == "graph"] == [
        (LEVEL, "create"), (FLOOD, "create"), (SCORE, "create"),
    ]  # fmt: skip
    found = {one["name"]: (one["trains"], one["predicts"]) for one in api.items("/spokes/tides/graphs")}
    assert found == {
        LEVEL: ("level/model", None), FLOOD: ("flood/model", None), SCORE: (None, "level/hourly"),
    }  # fmt: skip
    again = api.done("/spokes/tides/deployments", {"part": "graphs"})["changes"]
    assert {one["action"] for one in again if one["kind"] == "graph"} == {"keep"}


def test_nothing_is_predicted_before_the_model_is_there(api: Api) -> None:
    assert api.refused(runs(SCORE)) == (409, "no_model_version")
    assert api.refused(runs(LEVEL), {"days": ["2026-01-09"]}) == (422, "no_days")
    assert api.refused(runs("daily/nothing")) == (404, "unknown_graph")


def test_two_models_are_trained_by_their_graphs(api: Api) -> None:
    trained = api.done(runs(LEVEL))
    assert (trained["model"], trained["promoted"], trained["tasks"]) == (
        MODEL,
        True,
        {
            LEVEL: "SUCCEEDED", "fit/it": "SUCCEEDED", "check/it": "SUCCEEDED", "take/it": "SUCCEEDED",
            "leave/it": "SKIPPED", "tidy/up": "SUCCEEDED",
        },
    )  # fmt: skip
    assert api.done(runs(FLOOD))["model"] == "TIDES__flood/model"
    assert [one["name"] for one in api.items("/spokes/tides/models")] == ["TIDES__flood/model", MODEL]
    again = api.done(runs(LEVEL))
    first = path("/spokes/tides/models/{}/versions/{}", MODEL, trained["version"])
    assert api.done(f"{first}/promote")["replaced"] == again["version"]


def test_a_day_of_hours_is_predicted_and_evaluated(api: Api) -> None:
    made = api.done(runs(SCORE))
    assert (made["days"], made["predictions"]) == (["2026-01-09"], 96)
    assert api.done("/spokes/tides/predictions", {"days": ["2026-01-08"]})["predictions"] == 96
    assert api.done("/spokes/tides/predictions")["days"] == ["2026-01-10"]
    assert api.refused("/spokes/tides/predictions") == (409, "no_pending_day")
    api.done("/spokes/tides/evaluations")
    assert api.refused("/spokes/tides/evaluations") == (409, "nothing_to_evaluate")
    days = {one["day"]: one["n"] for one in api.items("/spokes/tides/evaluations")}
    assert days == {"2026-01-09": 96, "2026-01-08": 96}
    shown = api.get("/spokes/tides/predictions", day="2026-01-09", time="2026-01-09T06:00:00")
    assert len(shown["items"]) == 4
    zoned = api.get("/spokes/tides/predictions", time="2026-01-09T08:00:00+02:00")
    assert (zoned["time"], zoned["items"]) == (shown["time"], shown["items"])
    assert sorted(tuple(one["key"]) for one in shown["items"]) == [
        ("50%", "é"), ("north/pier", 'A "1"'), ("north/pier", "B"), ("old town", 'A "1"'),
    ]  # fmt: skip
    history = api.get("/spokes/tides/entities/history", key=KEY)
    assert (history["key"], history["label"]) == (KEY, "North pier")
    assert {one["level"] for one in api.items("/spokes/tides/alerts", limit=500)} == {"flood"}


def test_every_route_and_page_has_it_and_asks_the_account_nothing(api: Counted) -> None:
    """Each GET with the names that this spoke has; nothing that fails, nothing that is missing."""
    api.done("/sync")
    knowledge = api.client.app.state.domains.knowledge
    end = time.monotonic() + 60
    while knowledge.outlook().reading:
        assert time.monotonic() < end
        time.sleep(0.05)
    graph, run = LEVEL, api.items(runs(LEVEL))[0]["run_id"]
    version = api.items(path("/spokes/tides/models/{}/versions", MODEL))[0]["version"]
    values = {
        "spoke": "tides", "graph": graph, "run_id": run, "model": MODEL, "version": version,
        "operation_id": api.get("/operations", limit=1)["items"][0]["id"], "name": "NONE", "failure_id": "0",
    }  # fmt: skip
    seen, asked = set(), api.proxy.requests
    # These two have none of the kind: they are asked all the same.
    missing = {"name", "failure_id"}
    for route in routes(api.client.app):
        parts = re.findall(r"\{(\w+)[^}]*\}", route)
        if route.endswith("/events"):
            # It goes on.
            continue
        address = path(re.sub(r"\{[^}]*\}", "{}", route), *(values[part] for part in parts))
        query = {"key": KEY} if route.endswith("/entities/history") else {}
        answer = api.client.get(address, params=query, headers={"accept": "text/html, application/json"})
        expected = 404 if missing & set(parts) else 200
        assert answer.status_code == expected, (address, answer.text[:300])
        assert api.proxy.requests == asked, address
        seen.add(route)
    assert len(seen) == len(routes(api.client.app)) - 1
    assert {
        "/spokes/{spoke}",
        "/spokes/{spoke}/graphs/{graph}/runs/{run_id}",
        "/spokes/{spoke}/predictions",
    } <= seen


def routes(app: Any) -> list[str]:
    """The paths of every GET that the application has of its own."""
    from fastapi.routing import iter_route_contexts

    found = {
        str(getattr(one, "path", ""))
        for one in iter_route_contexts(app.routes)
        if "GET" in (getattr(one, "methods", None) or ())
    }
    return sorted(one for one in found if one and "/guide" not in one)
