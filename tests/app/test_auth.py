"""Who gets in: loopback without a login, the account's ingress, a bearer of the token."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from services.core.settings import AccountSettings, Settings, WebSettings
from tests.app.conftest import Gate, TestClient, add_work_route, registry

Start = Callable[[Settings], TestClient]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def _start(settings: Settings) -> TestClient:
            app = create_app(settings, registry(Gate()))
            add_work_route(app)
            return stack.enter_context(TestClient(app, base_url="http://127.0.0.1"))

        yield _start


def post(client: TestClient, **headers: str) -> Any:
    return client.post("/api/v1/work", json={}, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_on_loopback_only_its_own_pages_may_change_things(client: TestClient) -> None:
    assert post(client).status_code == 202
    assert post(client, Origin="http://127.0.0.1").status_code == 202
    assert post(client, Sec_Fetch_Site="same-origin").status_code == 202
    made = len(client.get("/api/v1/operations").json()["items"])
    assert post(client, Origin="http://evil.example").json()["code"] == "cross_site"
    assert post(client, Sec_Fetch_Site="cross-site").json()["code"] == "cross_site"
    assert len(client.get("/api/v1/operations").json()["items"]) == made


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost:9", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        ("evil.example", 403),
    ],
)
def test_on_loopback_a_rebound_name_is_refused(client: TestClient, host: str, status: int) -> None:
    assert client.get("/api/v1/operations", headers={"Host": host}).status_code == status


def test_a_token_opens_the_service(start: Start, settings: Settings) -> None:
    client = start(replace(settings, web=WebSettings(host="0.0.0.0", admin_token="s3cret")))
    refused = client.get("/api/v1/operations", headers={"Host": "hub.example"})
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/healthz").status_code == 200
    for wrong in ("Bearer other", "Bearer", "Basic ???", "Digest s3cret"):
        assert client.get("/api/v1/operations", headers={"Authorization": wrong}).status_code == 401
    right = {"Authorization": "Bearer s3cret", "Host": "hub.example"}
    assert client.get("/api/v1/operations", headers=right).status_code == 200
    assert client.get("/api/v1/operations", auth=("anyone", "s3cret")).status_code == 200


@pytest.mark.parametrize("connection", [None, "spokehub"])
def test_the_ingress_says_who_asks(
    start: Start, settings: Settings, tmp_path: Path, connection: str | None
) -> None:
    account = AccountSettings(
        "named" if connection else "container", connection, "h", "a", token_path=tmp_path / "token"
    )
    web = WebSettings(host="0.0.0.0", administrators=frozenset({"ADA"}))
    client = start(replace(settings, account=account, web=web))
    assert client.get("/api/v1/operations").status_code == 401
    assert post(client, Sf_Context_Current_User="BOB").json()["code"] == "forbidden"
    assert client.get("/api/v1/operations", headers={"Sf-Context-Current-User": "BOB"}).status_code == 200
    made = post(client, Sf_Context_Current_User="ada")
    assert (made.status_code, made.json()["actor"]) == (202, "ada")


def test_the_ingress_header_is_believed_nowhere_else(client: TestClient) -> None:
    assert post(client, Sf_Context_Current_User="EVE").json()["actor"] == "administrator"
