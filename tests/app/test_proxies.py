"""The word of a proxy on scheme, host and client counts where it is configured, and only there."""

from dataclasses import replace
from typing import Any

import pytest

from app.main import create_app
from app.proxies import Proxies
from services.core.errors import Invalid
from services.core.settings import Settings, read_settings
from tests.app.conftest import Gate, TestClient, add_work_route, registry

NEAR, FAR, STRANGER = "10.0.0.1", "10.0.0.2", "203.0.113.9"
CASES: list[tuple[str, dict[str, str], tuple[str, str, str]]] = [
    # Without a word nothing changes.
    (NEAR, {}, ("http", "inside:8000", NEAR)),
    (NEAR, {"X-Forwarded-Proto": "https"}, ("https", "inside:8000", NEAR)),
    (NEAR, {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example", "X-Forwarded-For": STRANGER},
     ("https", "hub.example", STRANGER)),
    # The strangers' own word stands at the left and is not believed.
    (NEAR, {"X-Forwarded-For": f"1.2.3.4, {STRANGER}", "X-Forwarded-Proto": "http, https"},
     ("https", "inside:8000", STRANGER)),
    (NEAR, {"X-Forwarded-For": f"1.2.3.4, {STRANGER}, {FAR}", "X-Forwarded-Host": "bad.example, hub.example, inner"},
     ("http", "hub.example", STRANGER)),
    (NEAR, {"Forwarded": f'for="{STRANGER}:4711";proto=https;host=hub.example'},
     ("https", "hub.example", STRANGER)),
    (NEAR, {"Forwarded": 'for="[2001:db8::7]";proto=https, for=10.0.0.2;proto=http'},
     ("https", "inside:8000", "2001:db8::7")),
    (NEAR, {"Forwarded": "for=_hidden;proto=https", "X-Forwarded-Proto": "http"}, ("https", "inside:8000", NEAR)),
    # What is no scheme and no host is not taken.
    (NEAR, {"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "evil.example/path"},
     ("http", "inside:8000", NEAR)),
    (NEAR, {"Forwarded": 'host="a b";proto=ftp;;;='}, ("http", "inside:8000", NEAR)),
    (STRANGER, {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example", "X-Forwarded-For": "1.2.3.4"},
     ("http", "inside:8000", STRANGER)),
    (STRANGER, {"Forwarded": "for=1.2.3.4;proto=https;host=hub.example"}, ("http", "inside:8000", STRANGER)),
]  # fmt: skip


def believed(trusted: tuple[str, ...], peer: str, headers: dict[str, str]) -> tuple[str, str, str]:
    sent = [(b"host", b"inside:8000"), *((k.lower().encode(), v.encode()) for k, v in headers.items())]
    scope: dict[str, Any] = {"type": "http", "scheme": "http", "client": (peer, 5), "headers": sent}
    Proxies(trusted).believe(scope)
    hosts = [value.decode() for name, value in scope["headers"] if name == b"host"]
    assert len(hosts) == 1
    return scope["scheme"], hosts[0], scope["client"][0]


@pytest.mark.parametrize(("peer", "headers", "expected"), CASES)
def test_only_those_that_are_known_are_believed(
    peer: str, headers: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert believed(("10.0.0.0/8",), peer, headers) == expected
    assert believed((), peer, headers) == ("http", "inside:8000", peer)


def test_everybody_may_be_believed() -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4, 5.6.7.8"}
    assert believed(("*",), STRANGER, headers) == ("https", "inside:8000", "1.2.3.4")


@pytest.fixture
def behind(settings: Settings) -> Any:
    """A service that believes its proxy, with a token, and one that believes nobody."""

    def made(trusted: tuple[str, ...], token: str | None = "t") -> TestClient:
        web = replace(settings.web, trusted_proxies=trusted, admin_token=token)
        app = create_app(replace(settings, web=web), registry(Gate()))
        add_work_route(app)
        return TestClient(
            app, base_url="http://127.0.0.1", client=(NEAR, 1), follow_redirects=False,
            headers={"Authorization": "Bearer t"},
        )  # fmt: skip

    return made


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example"}


@pytest.mark.parametrize(
    ("trusted", "start"),
    [((NEAR,), "https://hub.example"), ((FAR,), "http://127.0.0.1"), ((), "http://127.0.0.1")],
)
def test_a_slash_too_many_leads_to_where_the_client_is(behind: Any, trusted: Any, start: str) -> None:
    answer = behind(trusted).get("/api/v1/spokes/a=2Fb%25/?x=1", headers=FORWARDED)
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{start}/api/v1/spokes/a=2Fb=25?x=1"


def test_a_form_sent_through_the_proxy_is_of_this_site(behind: Any) -> None:
    origin = {"Origin": "https://hub.example"}
    with behind((NEAR,)) as client:
        assert client.post("/api/v1/work", json={}, headers={**FORWARDED, **origin}).status_code == 202
        other = {**FORWARDED, "Origin": "https://evil.example"}
        assert client.post("/api/v1/work", json={}, headers=other).json()["code"] == "cross_site"
    refused = behind(()).post("/api/v1/work", json={}, headers={**FORWARDED, **origin})
    assert refused.json()["code"] == "cross_site"


def test_a_proxy_does_not_vouch_for_a_rebound_name(behind: Any) -> None:
    """Without a login a page of another name that resolves to loopback could claim to be a proxy."""
    headers = {"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1"}
    assert behind((NEAR,), None).get("/api/v1/operations", headers=headers).json()["code"] == "unknown_host"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ()), ("10.0.0.1", ("10.0.0.1",)), (" 10.0.0.0/8 , ::1,", ("10.0.0.0/8", "::1")), ("*", ("*",))],
)
def test_the_setting(text: str, expected: tuple[str, ...]) -> None:
    assert read_settings({"SPOKEHUB_TRUSTED_PROXIES": text}).web.trusted_proxies == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPOKEHUB_TRUSTED_PROXIES", "proxy.example"),
        ("SPOKEHUB_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SPOKEHUB_DATABASE_TIMEOUT", "0"),
        ("SPOKEHUB_DATABASE_TIMEOUT", "soon"),
        ("SPOKEHUB_DATABASE_TIMEOUT", "nan"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        read_settings({name: value})
