"""The task routes as they are on the wire: statuses, bodies, paging."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def http(account_server: Any, connection: Any, database: str) -> Iterator[httpx.Client]:
    """A client whose base is the tasks of the fresh database's schema S."""
    host, port = account_server.connection["host"], account_server.connection["port"]
    with httpx.Client(
        base_url=f"http://{host}:{port}/api/v2/databases/{database}/schemas/S",
        headers={"Authorization": f'Snowflake Token="{connection.rest.token}"'},
    ) as client:
        yield client


def test_a_task_as_json(http: httpx.Client, run: Run, database: str) -> None:
    body = {
        "name": '"mixed Case"',
        "definition": "select 1",
        "warehouse": "WH",
        "schedule": {"schedule_type": "MINUTES_TYPE", "minutes": 1, "seconds": 30},
        "config": {"a": 1},
        "session_parameters": {"QUERY_TAG": "x"},
        "suspend_task_after_num_failures": 3,
        "overlap_policy": "ALLOW_CHILD_OVERLAP",
    }
    assert http.post("/tasks", params={"createMode": "errorIfExists"}, json=body).json() == {
        "status": 'Task "mixed Case" successfully created.'
    }
    child = {
        "name": "child",
        "definition": "select 2",
        "predecessors": ['"mixed Case"'],
        "condition": "1 = 1",
    }
    assert http.post("/tasks", json=child).status_code == 200
    found = http.get("/tasks/%22mixed%20Case%22").json()
    times = {key: found.pop(key) for key in ("created_on", "id")}
    assert all(times.values())
    assert found == {
        **body,
        "allow_overlapping_execution": True,
        "predecessors": [],
        "task_relations": '{"Predecessors": []}',
        "owner": "ACCOUNTADMIN",
        "owner_role_type": "ROLE",
        "state": "suspended",
        "database_name": database,
        "schema_name": "S",
    }
    assert http.get("/tasks/child").json()["predecessors"] == [f'{database}.S."mixed Case"']
    names = [task["name"] for task in http.get("/tasks/%22mixed%20Case%22/dependents").json()]
    assert names == ['"mixed Case"', "CHILD"]
    assert run('show tasks root only ->> select "name", "schedule" from $1') == [("mixed Case", "90 SECONDS")]


def test_lists_are_filtered_and_cut(http: httpx.Client) -> None:
    for name in ("A1", "A2", "A3", "B1"):
        parents = [] if name != "A3" else ["A1"]
        assert (
            http.post(
                "/tasks", json={"name": name, "definition": "select 1", "predecessors": parents}
            ).status_code
            == 200
        )

    def names(**parameters: Any) -> list[str]:
        return [task["name"] for task in http.get("/tasks", params=parameters).json()]

    assert names() == ["A1", "A2", "A3", "B1"]
    assert names(rootOnly="True") == ["A1", "A2", "B1"]
    assert names(rootOnly="False", like="a%") == ["A1", "A2", "A3"]
    assert names(startsWith="A", showLimit=2) == ["A1", "A2"]
    assert names(fromName="A2") == ["A3", "B1"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "message"),
    [
        ("GET", "/tasks/NOPE", None, 404, "002003", "NOPE"),
        ("POST", "/tasks/NOPE:execute", None, 404, "002003", "NOPE"),
        ("POST", "/tasks/NOPE:resume", None, 404, "002003", "NOPE"),
        ("DELETE", "/tasks/NOPE", None, 404, "002003", "NOPE"),
        ("GET", "/tasks/NOPE/dependents", None, 404, "002003", "NOPE"),
        ("GET", "/tasks/NOPE/current-graphs", None, 404, "002003", "NOPE"),
        ("GET", "/tasks/NOPE/complete_graphs", None, 404, "002003", "NOPE"),
        ("POST", "/tasks", {"name": "X"}, 400, "001008", "definition"),
        ("POST", "/tasks", [1], 400, "001008", "not a JSON object"),
        (
            "POST",
            "/tasks",
            {"name": "X", "definition": "select 1", "schedule": {"schedule_type": "?"}},
            400,
            "001008",
            "?",
        ),
        (
            "POST",
            "/tasks?createMode=maybe",
            {"name": "X", "definition": "select 1"},
            400,
            "001008",
            "createMode",
        ),
        ("GET", "/tasks?rootOnly=perhaps", None, 400, "001008", "rootOnly"),
        ("GET", "/tasks?showLimit=0", None, 400, "001008", "showLimit"),
        ("GET", "/tasks/A B", None, 400, "001003", "syntax error"),
        ("POST", "/tasks/X:fly", None, 501, "000002", "POST /api/v2/databases/"),
        ("PATCH", "/tasks/X", None, 501, "000002", "PATCH /api/v2/databases/"),
    ],
)
def test_errors(
    http: httpx.Client, method: str, path: str, body: Any, status: int, code: str, message: str
) -> None:
    answer = http.request(method, path, json=body) if body is not None else http.request(method, path)
    assert answer.status_code == status
    problem = answer.json()
    assert (problem["code"], problem["error_code"]) == (code, code)
    assert message in problem["message"]
    assert problem["request_id"]


def test_who_has_no_session_and_what_is_no_json(http: httpx.Client) -> None:
    stranger = http.get("/tasks", headers={"Authorization": 'Snowflake Token="x"'})
    assert (stranger.status_code, stranger.json()["code"]) == (401, "390111")
    garbled = http.post("/tasks", content=b"{", headers={"Content-Type": "application/json"})
    assert (garbled.status_code, garbled.json()["code"]) == (400, "390101")
