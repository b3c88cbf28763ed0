"""The REST API: operations, problems, idempotency, events, health, headers."""

import json
import time
from typing import Any

import pytest

from tests.app.conftest import Gate, TestClient

OPERATIONS = "/api/v1/operations"


def finished(client: TestClient, location: str) -> dict[str, Any]:
    for _ in range(400):
        operation: dict[str, Any] = client.get(location).json()
        if operation["state"] in ("succeeded", "failed", "cancelled"):
            return operation
        time.sleep(0.05)
    raise AssertionError("it did not end")


def start(client: TestClient, **body: Any) -> Any:
    return client.post("/api/v1/work", json=body)


def test_work_is_accepted_and_can_be_followed(client: TestClient) -> None:
    answer = start(client, number=7)
    assert answer.status_code == 202
    location = answer.headers["Location"]
    assert location == f"{OPERATIONS}/{answer.json()['id']}"
    done = finished(client, location)
    assert (done["state"], done["result"], done["actor"]) == ("succeeded", {"number": 7}, "administrator")
    assert [(s["name"], s["state"], s["attempts"]) for s in done["steps"]] == [("first", "succeeded", 1)]
    log = client.get(done["links"]["log"]).json()
    assert [line["message"] for line in log["items"]] == ["First", "working", "Operation succeeded"]
    assert client.get(done["links"]["log"], params={"after": 1, "limit": 1}).json()["next_cursor"] == "2"
    sql = client.get(done["links"]["sql"]).json()["items"]
    assert [(row["text"], row["query_id"], row["seconds"], row["rows"]) for row in sql] == [
        ("SELECT 1", "q-1", 0.25, 1)
    ]


def test_lists_have_items_and_a_cursor(client: TestClient) -> None:
    ids = [start(client, number=n, environment=e).json()["id"] for n, e in enumerate(("DEV", "PROD", "DEV"))]
    first = client.get(OPERATIONS, params={"limit": 2}).json()
    second = client.get(OPERATIONS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [o["id"] for o in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None
    chosen = client.get(OPERATIONS, params={"environment": "DEV", "kind": "work.do", "parent": "none"}).json()
    assert [o["id"] for o in chosen["items"]] == [ids[2], ids[0]]
    for operation_id in ids:
        finished(client, f"{OPERATIONS}/{operation_id}")


def test_an_idempotency_key_does_the_work_once(client: TestClient) -> None:
    headers = {"Idempotency-Key": "abc"}
    one = client.post("/api/v1/work", json={"number": 1}, headers=headers)
    again = client.post("/api/v1/work", json={"number": 1}, headers=headers)
    other = client.post("/api/v1/work", json={"number": 2}, headers=headers)
    assert (one.status_code, again.status_code, other.status_code) == (202, 202, 409)
    assert one.json()["id"] == again.json()["id"]
    assert other.json()["code"] == "idempotency_key_reused"
    assert len(client.get(OPERATIONS).json()["items"]) == 1
    finished(client, one.headers["Location"])


def test_the_second_press_finds_the_first(client: TestClient, gate: Gate) -> None:
    gate.open.clear()
    answers = [start(client, number=1), start(client, number=1), start(client, number=2)]
    keyed = client.post("/api/v1/work", json={"number": 1}, headers={"Idempotency-Key": "new"})
    assert [answer.status_code for answer in (*answers, keyed)] == [202] * 4
    first, second, other, third = (answer.headers["Location"] for answer in (*answers, keyed))
    assert first == second == third != other
    gate.open.set()
    finished(client, first)
    again = client.post("/api/v1/work", json={"number": 1}, headers={"Idempotency-Key": "new"})
    assert again.headers["Location"] == first
    anew = start(client, number=1).headers["Location"]
    assert anew not in (first, other)
    for location in (other, anew):
        finished(client, location)


def test_a_failure_tells_what_to_do_and_can_be_resumed(client: TestClient) -> None:
    location = start(client, fail=True).headers["Location"]
    failed = finished(client, location)
    assert (failed["state"], failed["can_resume"], failed["can_cancel"]) == ("failed", True, False)
    assert failed["error"] == {
        "code": "conflict", "message": "It cannot be", "hint": "Change it", "detail": None,
    }  # fmt: skip
    assert client.post(f"{location}/cancel").status_code == 409
    resumed = client.post(f"{location}/resume")
    assert (resumed.status_code, resumed.json()["run"]) == (202, 2)
    assert finished(client, location)["steps"][0]["attempts"] == 2


def test_cancel(client: TestClient, gate: Gate) -> None:
    gate.open.clear()
    location = start(client).headers["Location"]
    assert client.post(f"{location}/cancel").status_code == 202
    assert finished(client, location)["state"] == "cancelled"
    assert client.post(f"{location}/cancel").json()["code"] == "operation_over"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not_found"),
        ("GET", "/nothing", None, 404, "not_found"),
        ("DELETE", OPERATIONS, None, 405, "method_not_allowed"),
        ("GET", f"{OPERATIONS}/unknown", None, 404, "operation_not_found"),
        ("GET", f"{OPERATIONS}/unknown/events", None, 404, "operation_not_found"),
        ("POST", f"{OPERATIONS}/unknown/resume", None, 404, "operation_not_found"),
        ("GET", f"{OPERATIONS}?state=odd", None, 422, "invalid"),
        ("GET", f"{OPERATIONS}?limit=0", None, 422, "invalid"),
        ("GET", f"{OPERATIONS}?cursor=odd", None, 422, "bad_cursor"),
        ("POST", "/api/v1/work", "{not json", 400, "not_json"),
        ("POST", "/api/v1/work", '{"number": "x"}', 422, "invalid"),
        ("POST", "/api/v1/work", '{"colour": "red"}', 422, "invalid"),
        ("POST", "/api/v1/work", '{"number": -1}', 409, "conflict"),
        ("GET", "/api/v1/work/broken", None, 500, "internal_error"),
    ],
)
def test_every_error_is_a_problem(
    client: TestClient, method: str, path: str, body: str | None, status: int, code: str
) -> None:
    answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:spokehub:problem:{code}"
    assert problem["instance"] == path.partition("?")[0]
    assert problem["title"]
    assert problem["detail"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert client.get(OPERATIONS).json()["items"] == []


def test_a_refused_field_is_named(client: TestClient) -> None:
    problem = start(client, number="x").json()
    assert [fault["field"] for fault in problem["errors"]] == ["number"]


def test_events_tell_all_lines_and_the_end(client: TestClient, gate: Gate) -> None:
    gate.open.clear()
    location = start(client).headers["Location"]
    events: list[tuple[str, Any]] = []
    with client.stream("GET", f"{location}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            gate.open.set()
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                events.append((name, json.loads(line[6:])))
    assert [data["message"] for name, data in events if name == "log"] == [
        "First", "working", "Operation succeeded",
    ]  # fmt: skip
    assert events[-1] == ("end", {"state": "succeeded"})
    assert [name for name, _ in events if name == "operation"]
    with client.stream("GET", f"{location}/events", headers={"Last-Event-ID": "2"}) as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("event: log")]
    assert len(lines) == 1


def test_health_and_metrics(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "ok"
    assert ready.json()["checks"]["account"] != "ok"
    finished(client, start(client).headers["Location"])
    text = client.get("/metrics").text
    assert 'spokehub_operations{kind="work.do",state="succeeded"} 1\n' in text
    assert 'spokehub_http_requests_total{method="POST",route="/api/v1/work",status="202"} 1\n' in text


def test_every_answer_keeps_to_this_host(client: TestClient) -> None:
    for path in ("/healthz", "/docs", "/api/v1/nothing", "/api/v1/work/broken", "/static/theme.js"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "script-src 'self';" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_the_documentation_is_served_from_here(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "http" not in page.replace("https", "http")
    addresses = [part.split('"')[0] for part in page.split('src="')[1:] + page.split('href="')[1:]]
    assert len(addresses) == 4
    for address in addresses:
        assert client.get(address).status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    assert {p for p in paths if p.startswith(OPERATIONS)} == {
        OPERATIONS,
        *(OPERATIONS + "/{operation_id}" + part for part in ("", "/log", "/sql", "/events")),
        *(OPERATIONS + "/{operation_id}" + part for part in ("/cancel", "/resume")),
    }
