"""REST: credits, budgets and the file of them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from services.costs.rolling import roll_up
from tests.app.conftest import TestClient

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
    assert answer.headers["Spokehub-As-Of"].startswith(f"{NOW:%Y-%m-%dT%H:%M}")
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
