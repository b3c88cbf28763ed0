"""REST: credits, budgets and the file of them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.costs.rolling import roll_up
from tests.app.conftest import TestClient
from tests.manifests import small
from tests.services.health.filling import Place

COSTS = "/api/v1/costs"
NOW = datetime.now(UTC).replace(tzinfo=None)
DAY = NOW.date()


def fill(client: TestClient) -> None:
    """A warehouse that was on for a credit and a half, of which a statement was charged one."""
    history = client.app.state.domains.costs._credits._history  # type: ignore[attr-defined]
    hour = datetime.combine(DAY, datetime.min.time())
    with history.write() as db:
        db.execute(
            "INSERT INTO metering (service_type, name, hour, credits, credits_compute, credits_cloud, seen_at)"
            " VALUES ('WAREHOUSE_METERING', '=WH', ?, 1.5, 1.5, 0, ?)",
            [hour, NOW],
        )
        db.execute("INSERT INTO warehouse_metering VALUES ('=WH', ?, 1.5, 1.5, 0, 1.0, ?)", [hour, NOW])
        db.execute(
            "INSERT INTO query_credits (query_id, warehouse_name, started_at, ended_at, credits,"
            " acceleration_credits, seen_at) VALUES ('q', '=WH', ?, ?, 1.000000001, 0, ?)",
            [hour, hour + timedelta(minutes=1), NOW],
        )
        roll_up(db, [DAY], {})
        db.execute("INSERT INTO sync_marks VALUES ('usage.metering_history', ?, ?, NULL)", [NOW, NOW])


def get(client: TestClient, address: str = "", **asked: Any) -> Any:
    answer = client.get(f"{COSTS}{address}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer


def test_groups_and_their_sum(client: TestClient) -> None:
    assert get(client).json()["items"] == [{"credits": 0.0}]
    assert "Spokehub-As-Of" not in get(client).headers
    fill(client)
    answer = get(client, by=["day", "kind", "spoke"])
    assert answer.json() == {
        "items": [
            {"day": str(DAY), "kind": "compute", "spoke": None, "credits": 1.000000001},
            {"day": str(DAY), "kind": "idle", "spoke": None, "credits": 0.5},
            {"day": str(DAY), "kind": "rest", "spoke": None, "credits": -1e-9},
        ],
        "next_cursor": None,
        "since": str(DAY.replace(day=1)),
        "until": str(DAY),
    }
    # What is sure to be told six hours later, and what was told already: the first hour of the day.
    told = min(
        NOW, max(NOW - timedelta(hours=6), datetime.combine(DAY, datetime.min.time()) + timedelta(hours=1))
    )
    assert answer.headers["Spokehub-As-Of"].startswith(f"{told:%Y-%m-%dT%H:%M}")
    first = get(client, by=["kind"], limit=2).json()
    rest = get(client, by=["kind"], limit=2, cursor=first["next_cursor"]).json()
    assert [one["kind"] for one in first["items"] + rest["items"]] == ["compute", "idle", "rest"]
    report = get(client, "/report").json()
    assert (report["total"], report["metering"], report["account"]) == (1.5, 1.5, 1.5)
    assert get(client, "/runs").json() == get(client, "/graphs").json() == {"items": [], "next_cursor": None}


def test_what_cannot_be_asked(client: TestClient) -> None:
    for asked in (
        {"by": "colour"},
        {"kind": "x"},
        {"period": "x"},
        {"since": "2025-02-01", "until": "2025-01-01"},
    ):
        assert client.get(COSTS, params=asked).status_code == 422


def test_the_file_has_every_digit(client: TestClient) -> None:
    fill(client)
    answer = get(client, "/export.csv", by=["resource", "kind"])
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["resource", "kind", "credits"],
        ["'=WH", "compute", "1.000000001"],
        ["'=WH", "idle", "0.500000000"],
        ["'=WH", "rest", "-0.000000001"],
    ]


def test_a_budget(client: TestClient) -> None:
    fill(client)
    address = f"{COSTS}/budgets/%2A/%2A"
    made = client.put(address, json={"credits": 3, "warn_at": 0.5})
    assert made.status_code == 200
    assert (made.json()["word"], made.json()["fraction"]) == ("warned", 0.5)
    assert get(client, "/budgets").json()["items"] == [made.json()]
    assert client.put(address, json={"credits": -1}).status_code == 422
    assert client.put(f"{COSTS}/budgets/nobody/%2A", json={"credits": 1}).status_code == 404
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404


def test_what_a_run_cost_is_the_same_wherever_it_is_told(client: TestClient) -> None:
    domains = client.app.state.domains  # type: ignore[attr-defined]
    place = Place(domains.health._history, domains.failures._database, datetime.now(UTC))
    domains.spokes.catalogue.enter(small("tides"), "DEV")
    domains.spokes.catalogue.activate("tides", "DEV")
    run = place.run(tasks={"LOAD": {"query": "q-1"}, "FIT": {"query": "q-2"}})
    hour = datetime.combine(DAY, datetime.min.time())
    with place.history.write() as db:
        for query, root, credits, acceleration in (
            ("q-1", None, 0.000000003, 0.0),
            ("q-2", None, 0.25, 0.0),
            # A task's descendant, and a statement that carries the run in its tag.
            ("q-3", "q-2", 0.5, 0.125),
            ("q-4", None, 0.000000001, 0.0),
        ):
            tag = {"app": "spokehub", "spoke": "tides", "environment": "DEV", "graph": "DAILY", "run": run}
            db.execute(
                "INSERT INTO query_credits (query_id, root_query_id, warehouse_name, query_tag, started_at, ended_at,"
                " credits, acceleration_credits, seen_at) VALUES (?, ?, 'WH', ?, ?, ?, ?, ?, ?)",
                [
                    query,
                    root,
                    json.dumps(tag) if query == "q-4" else None,
                    hour,
                    hour,
                    credits,
                    acceleration,
                    NOW,
                ],
            )
        db.execute(
            "INSERT INTO serverless_tasks (spoke, environment, database_name, schema_name, name, started_at, ended_at,"
            " credits, seen_at) SELECT spoke, environment, database_name, schema_name, name, started_at,"
            " completed_at, 0.0625, ? FROM task_runs WHERE name = 'DAILY$FIT'",
            [NOW],
        )
        began = place.history.rows("SELECT started_at::DATE AS day FROM task_runs WHERE name = 'DAILY$FIT'")
        roll_up(db, {DAY, began[0]["day"]}, {})
    whole = 0.937500004
    [listed] = get(client, "/runs", period="7").json()["items"]
    assert (listed["run_id"], listed["credits"]) == (run, whole)
    [graph] = get(client, "/graphs", period="7").json()["items"]
    assert (graph["graph"], graph["credits"]) == ("DAILY", whole)
    address = f"/spokes/tides/graphs/DAILY/runs/{run}"
    told = client.get(f"/api/v1{address}/health?environment=DEV").json()
    assert told["credits"] == whole
    shown = client.get(f"{address}?environment=DEV", headers={"accept": "text/html"})
    costs = client.get("/costs?period=7&spoke=tides", headers={"accept": "text/html"})
    for page in (shown, costs):
        assert page.status_code == 200
        assert f'title="{whole} credits">0.938' in page.text
