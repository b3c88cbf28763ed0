"""Runs over REST: filters, files, statistics, saved views."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.main import create_app
from tests.app.conftest import TestClient, nowhere
from tests.services.health.filling import Place

RUNS = "/api/v1/graph-runs"
BROKEN = {"LOAD": {}, "FIT": {"state": "FAILED", "message": "ValueError: empty"}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(nowhere(tmp_path_factory.mktemp("runs")))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        domains = app.state.domains
        place = Place(domains.health._history, domains.failures._database, datetime.now(UTC))
        for hours in range(1, 8):
            failed = hours == 3
            place.run(
                timedelta(hours=hours), "FAILED" if failed else "SUCCEEDED", message="=1+1" if failed else None,
                tasks=BROKEN if failed else {"LOAD": {}}, environment="PROD" if hours % 2 else "DEV",
            )  # fmt: skip
        place.roll_up()
        yield client


def test_lists_filter_page_and_say_as_of_when(client: TestClient) -> None:
    first = client.get(RUNS, params={"limit": 3})
    assert first.headers["Spokehub-As-Of"].endswith("Z")
    rest = client.get(RUNS, params={"limit": 5, "cursor": first.json()["next_cursor"]}).json()
    ids = [run["run_id"] for run in (*first.json()["items"], *rest["items"])]
    assert ids == [f"run-{number:03d}" for number in range(1, 8)]
    assert rest["next_cursor"] is None
    dev = client.get(f"{RUNS}?environment=DEV&environment_not=PROD&spoke=tides").json()["items"]
    assert {run["environment"] for run in dev} == {"DEV"}
    (failed,) = client.get(f"{RUNS}?state=FAILED").json()["items"]
    assert (failed["first_error_message"], failed["tasks_failed"]) == ("=1+1", 1)
    tasks = client.get("/api/v1/task-runs?error=empty").json()["items"]
    assert [task["name"] for task in tasks] == ["DAILY$FIT"]


@pytest.mark.parametrize("query", ["sate=x", "state=BROKEN", "duration=soon", "sort=size", "cursor=x"])
def test_what_is_not_understood_is_refused_by_name(client: TestClient, query: str) -> None:
    answer = client.get(f"{RUNS}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_filtered_is_exported(client: TestClient) -> None:
    answer = client.get(f"{RUNS}/export?environment=PROD&sort=duration")
    assert answer.headers["content-disposition"] == 'attachment; filename="graph-runs.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(lines) == 4
    # No spreadsheet takes it for a formula.
    assert [line["first_error_message"] for line in lines if line["state"] == "FAILED"] == ["'=1+1"]
    exported = client.get(f"{RUNS}/export?format=json").json()["items"]
    assert exported == client.get(RUNS).json()["items"]
    assert client.get(f"{RUNS}/export?format=json&spoke=none").json() == {"items": []}


def test_statistics_days_and_health(client: TestClient) -> None:
    found = client.get(f"{RUNS}/statistics?environment=PROD").json()["items"]
    assert [(one["graph"], one["runs_7"], one["success_7"]) for one in found] == [("DAILY", 4, 0.75)]
    days = client.get(f"{RUNS}/daily").json()["items"]
    assert (len(days), sum(day["failed"] for day in days)) == (30, 1)
    run = client.get("/api/v1/spokes/tides/graphs/DAILY/runs/run-003/health?environment=PROD").json()
    assert run["difference"]["good"]["run_id"] == "run-005"
    graph = client.get("/api/v1/spokes/tides/graphs/DAILY/health?environment=PROD").json()
    assert len(graph["grid"]["runs"]) == 4


def test_views_are_saved_changed_and_deleted(client: TestClient) -> None:
    made = client.post("/api/v1/saved-views", json={"name": "Failed", "query": "state=FAILED"})
    assert made.status_code == 201
    address = f"/api/v1/saved-views/{made.json()['id']}"
    assert client.post("/api/v1/saved-views", json={"name": "Failed", "query": ""}).status_code == 409
    assert client.patch(address, json={"name": "Broken"}).json()["name"] == "Broken"
    assert [view["name"] for view in client.get("/api/v1/saved-views").json()["items"]] == ["Broken"]
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
