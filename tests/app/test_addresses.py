"""Any name that Snowflake allows goes through an address and back, on every route that has one."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.addresses import MAX_NAME, Name, Names, path, segment
from services.core.hub import load_declaration
from services.features.service import Features
from services.registry.service import Registry
from services.snowflake.scope import Scope
from tests.app.conftest import TestClient
from tests.manifests import small

NAMES = (
    "V1",
    "v1-2",
    "release candidate",
    "a/b",
    "/",
    "..",
    ".",
    "...",
    "../../etc",
    "100%",
    "%2F",
    "%252F",
    "=2F",
    "a=3Db",
    "a?b#c",
    "a&b=c+d",
    'say "hi"',
    "it's",
    " blank ",
    "tab\tnew\nline",
    "back\\slash",
    "semi;colon:at@",
    "~tilde",
    "Größe",
    "模型",
    "🚚",
    "<b>&amp;",
    "{braces}",
    "runs",
    "x" * MAX_NAME,
)
TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
NAMED = re.compile(r"\{(\w+)\}")


def received(address: str) -> str:
    """The path that routing sees for an address."""
    raw = address.partition("?")[0]
    scope: Any = {"type": "http", "raw_path": raw.encode(), "path": unquote(raw)}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        return None

    asyncio.run(Names(app)(scope, None, None))  # type: ignore[arg-type]
    return str(scope["path"])


@given(st.lists(st.text(TEXT, min_size=1, max_size=40), min_size=1, max_size=3))
def test_an_address_brings_its_names_back(names: list[str]) -> None:
    address = path("/".join(["", *("{}" for _ in names)]), *names)
    assert re.fullmatch(r"[A-Za-z0-9/%=._~-]*", address)
    assert not any(part in (".", "..") for part in address.split("/"))
    assert "%2F" not in address
    parts = received(address).split("/")[1:]
    assert [TypeAdapter(Name).validate_python(part) for part in parts] == names


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_percent_encoded_by_others_is_the_same(name: str) -> None:
    for text in {segment(name), quote(name, safe=""), quote(name, safe="!$'()*+,:;@")}:
        if text.strip("."):
            (part,) = received(f"/{text}").split("/")[1:]
            assert TypeAdapter(Name).validate_python(part) == name


# What a route cannot do without.
BODIES = {
    "POST /api/v1/spokes/{spoke}/deployments": {"part": "graphs"},
    "PATCH /api/v1/failures/{failure_id}": {"state": "resolved"},
    "PATCH /api/v1/saved-views/{view_id}": {"name": "x"},
    "PUT /api/v1/costs/budgets/{spoke}/{environment}": {"credits": 5},
    "PUT /api/v1/spokes/{spoke}/graphs/{graph}/schedule": {"schedule": "60 MINUTES"},
    "POST /runs/views/{view_id}": {"name": "x"},
    "POST /spokes/{spoke}/graphs/{graph}/schedule": {"environment": "DEV", "schedule": "60 MINUTES"},
}


def routes(client: TestClient) -> Iterator[tuple[str, str]]:
    """(method, path) of every route with a name in its path."""
    app: Any = client.app
    for context in iter_route_contexts(app.routes):
        found = getattr(context, "path", None)
        if found and "{" in found:
            for method in getattr(context, "methods", None) or ():
                yield method, found


def test_every_route_takes_every_name(service: TestClient) -> None:
    """A name of 256 letters is refused by its parameter, one of 255 is looked for: whatever its letters are."""
    seen = set(routes(service))
    assert len(seen) >= 38
    for method, route in sorted(seen):
        parameters = NAMED.findall(route)
        sent: dict[str, Any] = {"data": BODIES.get(f"{method} {route}", {"environment": "DEV"})}
        if route.startswith("/api"):
            sent = {"json": BODIES.get(f"{method} {route}")}
        for name in NAMES:
            address = path(NAMED.sub("{}", route), *([name] * len(parameters)))
            if route.endswith("/entities/history"):
                sent["params"] = {"key": name}
            answer = service.request(method, address, headers={"accept": "application/json"}, **sent)
            assert answer.status_code == 404, (method, address, answer.text)
            assert answer.json()["code"] != "not_found", (method, address)
            assert answer.json()["instance"] == address
        for at, parameter in enumerate(parameters):
            for wrong in ("x" * (MAX_NAME + 1), "nul\x00"):
                values = ["x"] * len(parameters)
                values[at] = wrong
                address = path(NAMED.sub("{}", route), *values)
                answer = service.request(method, address, headers={"accept": "application/json"}, **sent)
                assert answer.status_code == 422, (method, address, answer.text)
                assert [fault["field"] for fault in answer.json()["errors"]] == [parameter]


class Account:
    """An account whose models and feature views have these names, and those in upper case of some."""

    def __init__(self, models: Sequence[str] = NAMES) -> None:
        self.models = models

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        from datetime import UTC, datetime

        at = datetime(2026, 1, 1, tzinfo=UTC)
        if text.startswith("SHOW MODELS"):
            return [{"name": name, "default_version_name": "", "comment": None} for name in self.models]
        if text.startswith("SHOW VERSIONS"):
            return [{"name": name, "created_on": at, "metadata": None} for name in (*NAMES, "RELEASED")]
        if text.startswith("SHOW VIEWS"):
            common = {"created_on": at, "comment": "", "owner": "", "text": ""}
            return [{**common, "name": f"{name[:127]}${name[:127]}"} for name in (*NAMES, "SHOUTED")]
        return []


@pytest.fixture
def named(common: TestClient) -> Iterator[TestClient]:
    """The client, with that account's models and feature views."""
    app: Any = common.app
    domains = app.state.domains

    declared = load_declaration()

    def scopes(spoke: str, environment: str) -> Scope:
        return Scope(declared, spoke, environment, small(spoke))

    # Each view asks every version of every model whether it consumes it.
    consumers = Registry(Account(models=()), scopes, domains.operations)
    app.state.domains = replace(
        domains,
        registry=Registry(Account(), scopes, domains.operations),
        features=Features(Account(), scopes, domains.shared_features, consumers, domains.operations),
    )
    yield common
    app.state.domains = domains


def test_what_is_in_the_account_is_found_as_it_is(named: TestClient) -> None:
    for name in NAMES:
        found = named.get(path("/api/v1/spokes/{}/models/{}/versions/{}", "pudo", name, name)).json()
        assert (found["model"], found["version"]) == (name, name)
        half = name[:127]  # a feature view is called NAME$VERSION
        view = named.get(path("/api/v1/spokes/{}/feature-views/{}", "pudo", half, version=half)).json()
        assert (view["name"], view["version"]) == (half, half)
        versions = named.get(path("/api/v1/spokes/{}/models/{}/versions", "pudo", name)).json()
        assert len(versions["items"]) == len(NAMES) + 1


def test_a_name_is_taken_as_unquoted_when_it_is_not_there_as_it_stands(named: TestClient) -> None:
    models = "/api/v1/spokes/pudo/models"
    assert named.get(f"{models}/v1/versions/released").json()["version"] == "RELEASED"
    assert named.get(f"{models}/V1/versions/Released").json()["model"] == "V1"
    assert named.get(f"{models}/V1-2/versions/V1").status_code == 404
    view = named.get("/api/v1/spokes/pudo/feature-views/shouted", params={"version": "shouted"}).json()
    assert (view["name"], view["version"]) == ("SHOUTED", "SHOUTED")
