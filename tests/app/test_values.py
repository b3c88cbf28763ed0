"""Numbers, days, texts and headers out of range are refused by name; nothing breaks the service or a stream."""

from base64 import urlsafe_b64encode

import pytest

from app.pages.training import read_config
from services.core.errors import Invalid
from tests.app.conftest import TestClient
from tests.app.nasty import requests
from tests.app.test_api import OPERATIONS, finished, start


def test_no_value_breaks_the_service(service: TestClient) -> None:
    asked = list(requests(service.get("/openapi.json").json(), {"spoke": "pudo", "graph": "TRAINING_DAG"}))
    assert len(asked) > 900
    for one in asked:
        answer = one.send(service)
        assert answer.status_code in (200, 201, 202, 400, 404, 405, 409, 422, 502, 503), (one, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["detail"], one
            assert "Value error" not in answer.text, one


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/log?after=9223372036854775808", "after"),
        ("/sql?after=9223372036854775808", "after"),
        ("/log?after=-1", "after"),
        ("/log?limit=1001", "limit"),
        ("/log?limit=" + "9" * 400, "limit"),
    ],
)
def test_a_number_out_of_range_is_refused_by_name(common: TestClient, address: str, field: str) -> None:
    location = start(common).headers["Location"]
    finished(common, location)
    answer = common.get(location + address)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])
    assert common.get(f"{location}/log?after=9223372036854775807").json()["items"] == []


@pytest.mark.parametrize(
    ("last", "lines"),
    [
        ("1", 2),
        ("3", 0),
        ("9" * 18, 0),
        ("9223372036854775808", 3),
        ("9" * 400, 3),
        ("-1", 3),
        ("²", 3),
        ("", 3),
    ],
)
def test_a_stream_begins_cleanly_after_any_last_id(common: TestClient, last: str, lines: int) -> None:
    location = start(common).headers["Location"]
    finished(common, location)
    with common.stream("GET", f"{location}/events", headers={"Last-Event-ID": last.encode()}) as answer:
        assert answer.status_code == 200
        told = [line for line in answer.iter_lines() if line.startswith("event: ")]
    assert told == ["event: log"] * lines + ["event: operation", "event: end"]


@pytest.mark.parametrize("query", ["spoke", "kind", "environment", "parent", "cursor"])
def test_a_long_text_is_refused_by_name(common: TestClient, query: str) -> None:
    answer = common.get(OPERATIONS, params={query: "x" * 5000})
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [query])


@pytest.mark.parametrize(
    "config", ['{"\\ud800": 1}', '{"a": NaN}', '{"a": 1e999}', "[" * 3000, '{"a":' * 3000, "[1]", "null"]
)
def test_a_configuration_that_cannot_be_written_down_is_refused(config: str) -> None:
    with pytest.raises(Invalid, match="The configuration cannot be sent"):
        read_config(config)


@pytest.mark.parametrize(
    "run",
    ['["\\ud800", "DEV", "TRAIN", "x"]', '{"a": 1, "b": 2, "c": 3, "d": 4}', "[" * 5000, "[1, 2, 3, 4]"],
)
def test_a_run_that_no_form_has_is_refused(common: TestClient, run: str) -> None:
    answer = common.post("/runs/retry", data={"runs": [run]}, headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert common.get(OPERATIONS).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/runs?time=..0001-01-01",
        "/api/v1/graph-runs?time=..0001-01-01",
        "/api/v1/graph-runs/daily?time=..0001-01-01",
        "/api/v1/graph-runs/daily?time=9999-12-31..",
        "/api/v1/task-runs?cursor=" + urlsafe_b64encode(b'["-started","0001-01-01T00:00:00",1,"a"]').decode(),
        "/api/v1/graph-runs?cursor="
        + urlsafe_b64encode(b'["-started","0001-01-01T00:00:00",1,"a"]').decode(),
    ],
)
def test_the_ends_of_time_are_answered(common: TestClient, address: str) -> None:
    assert common.get(address).status_code == 200


@pytest.mark.parametrize(
    ("address", "unknown"),
    [
        ("/api/v1/costs?spok=a&kind=compute", "'spok'"),
        ("/api/v1/graph-runs/statistics?state=FAILED", "'state'"),
        ("/api/v1/operations?order=old&limit=3&x=1", "'order', 'x'"),
        ("/api/v1/hub?spoke=a", "'spoke'"),
    ],
)
def test_a_parameter_that_an_address_does_not_have_is_refused(
    service: TestClient, address: str, unknown: str
) -> None:
    answer = service.get(address)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter")
    assert answer.json()["detail"] == f"There is no parameter {unknown} here"


@pytest.mark.parametrize(
    "body", [{"credits": True}, {"credits": 1e-300}, {"credits": "5"}, {"credits": 5, "warn_at": True}]
)
def test_a_budget_is_a_number_that_one_can_spend(service: TestClient, body: dict[str, object]) -> None:
    assert service.put("/api/v1/costs/budgets/*/*", json=body).status_code == 422
    assert service.get("/api/v1/costs/budgets").json()["items"] == []
