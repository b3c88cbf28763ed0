"""HEAD is answered as GET without its body, OPTIONS tells what there is, and 405 as well."""

from typing import Any

import pytest

from tests.app.conftest import Gate, TestClient
from tests.app.test_api import OPERATIONS, finished, start

ADDRESSES = (
    "/healthz", "/readyz", "/metrics", "/docs", "/docs/start.js", "/openapi.json", "/static/theme.js", "/",
    "/operations", "/simulation", "/hub", "/nowhere", OPERATIONS, "/api/v1/spokes", "/api/v1/hub",
    "/api/v1/hub/plan", "/api/v1/nothing", "/api/v1/work", f"{OPERATIONS}?limit=0",
)  # fmt: skip
# What differs from one request to the next.
VARYING = {"/metrics"}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_head_is_get_without_its_body(common: TestClient, address: str, accept: str) -> None:
    headers = {"accept": accept}
    # A page that cannot reach its account says so, to a browser and to a probe alike.
    got, head = common.get(address, headers=headers), common.head(address, headers=headers)
    assert head.content == b""
    assert head.status_code == got.status_code
    # A page that has nothing yet tells, with each request, how far the asking is.
    if address not in VARYING and got.status_code != 503:
        assert dict(head.headers) == dict(got.headers)
    else:
        assert set(head.headers) == set(got.headers)


def test_head_of_a_stream_ends(client: TestClient, gate: Gate) -> None:
    gate.open.clear()
    location = start(client).headers["Location"]
    head = client.head(f"{location}/events")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")
    gate.open.set()
    finished(client, location)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/static/theme.js", "GET, HEAD, OPTIONS"),
        ("/api/v1/spokes", "GET, POST, HEAD, OPTIONS"),
        ("/api/v1/spokes/pudo/graphs/a=2Fb/runs", "GET, POST, HEAD, OPTIONS"),
        ("/api/v1/hub/apply", "POST, OPTIONS"),
        ("/example", "POST, OPTIONS"),
        ("/spokes/pudo/models/m/versions/a%2Fb/promote", "POST, OPTIONS"),
    ],
)
def test_what_there_is_is_told(common: TestClient, address: str, allowed: str) -> None:
    options = common.options(address)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")
    other: Any = common.delete(address)
    assert (other.status_code, other.headers["allow"]) == (405, allowed)


def test_what_is_nowhere_has_no_methods(common: TestClient) -> None:
    assert common.options("/nowhere").status_code == 404
    assert common.options("/api/v1/nothing").json()["code"] == "not_found"
