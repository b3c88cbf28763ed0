"""An account that is slow, fails or is away: everything is shown with its age, and is newer by itself later."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from services.core.settings import Settings, read_settings
from services.knowledge import Knowledge
from services.snowflake import deployer
from services.snowflake.embedded import EmbeddedAccount
from tests.account.fault_proxy import FaultProxy
from tests.app.conftest import TestClient, nowhere
from tests.app.test_domains import Api
from tests.app.test_third_spoke import THIRD

HTML = {"accept": "text/html"}
SHOWN = (
    "/",
    "/hub",
    "/hub?environment=PROD",
    "/simulation",
    "/spokes/tides/features",
    "/spokes/tides/graphs",
    "/spokes/tides/models",
    "/api/v1/overview",
    "/api/v1/hub/plan",
    "/api/v1/hub/feature-views",
    "/api/v1/simulation",
    "/api/v1/spokes/tides/feature-views",
    "/api/v1/spokes/tides/graphs",
    "/api/v1/spokes/tides/models",
)
# These say nothing of the account's, or only where there is something to say.
MORE = ("/spokes/tides", "/spokes/tides?environment=PROD", "/operations", "/healthz")


@dataclass
class World:
    """A service before a proxy before an embedded account."""

    folder: Path
    proxy: FaultProxy
    client: Any
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def knowledge(self) -> Knowledge:
        found: Knowledge = self.client.app.state.domains.knowledge
        return found

    @property
    def rests(self) -> bool:
        """Whether nothing is read, nor about to be."""
        outlook = self.knowledge.outlook()
        return not outlook.reading and outlook.next_at is None

    def ages(self) -> dict[str, str]:
        return ages(self.client)


def ages(client: Any) -> dict[str, str]:
    """As of when each of them is shown."""
    found = {}
    for address in (*SHOWN, *MORE):
        answer = client.get(address, headers={} if "/api/" in address else HTML)
        assert answer.status_code == 200, (address, answer.text[:500])
        if address in SHOWN:
            found[address] = answer.headers["spokehub-as-of"]
            assert ("As of" in answer.text) == ("/api/" not in address)
    return found


def until(condition: Callable[[], Any], seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("away")
    # What is read on the way is asked for here, or because it was not read before.
    alone = {"SPOKEHUB_EXAMPLE": "none", "SPOKEHUB_SYNC_SECONDS": "0"}
    settings: Settings = read_settings({"SPOKEHUB_DATA": str(folder), **alone})
    embedded = EmbeddedAccount.of(settings)
    assert embedded is not None
    where = embedded.address

    def target() -> tuple[str, int]:
        address = where()
        return address.host, address.port

    with ExitStack() as stack, warnings.catch_warnings():
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(deployer, "SPOKES", THIRD)
        patched.setattr("services.knowledge.background._LONGEST_PAUSE", 1.0)
        proxy = stack.enter_context(FaultProxy(target))
        stack.enter_context(proxy.before(embedded))
        app = create_app(settings, embedded=embedded)
        client = stack.enter_context(TestClient(app, base_url="http://127.0.0.1"))
        api = Api(client)
        api.awaited("/simulation")
        api.done("/hub/apply")
        api.done("/spokes", {"spoke": "tides"})
        yield World(folder, proxy, client, stack)


def test_opening_everything_sends_no_statement(world: World) -> None:
    until(lambda: world.rests)
    before = world.proxy.requests
    assert set(world.ages()) == set(SHOWN)
    assert world.proxy.requests == before


FAULTS: list[Callable[[FaultProxy], AbstractContextManager[None]]] = [
    lambda proxy: proxy.slow(5.0),
    lambda proxy: proxy.failing(),
    lambda proxy: proxy.failing_half(),
    lambda proxy: proxy.cutting(),
    lambda proxy: proxy.away(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=["slow", "failing", "half", "cut", "away"])
def test_it_is_shown_as_it_was_and_is_read_once_the_account_is_well(
    world: World, fault: Callable[[FaultProxy], AbstractContextManager[None]]
) -> None:
    until(lambda: world.rests)
    before = world.ages()
    with fault(world.proxy):
        assert world.ages() == before
        answer = world.client.post("/read", data={"back": "/hub"}, headers=HTML, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/hub")
        assert world.ages() == before
    until(lambda: all(now > before[address] for address, now in world.ages().items()))
    until(lambda: not world.knowledge.errors())


def test_a_service_that_starts_without_its_account_shows_what_it_knew(world: World) -> None:
    until(lambda: world.rests)
    before = world.ages()
    world.stack.close()
    with TestClient(create_app(nowhere(world.folder)), base_url="http://127.0.0.1") as client:
        assert ages(client) == before
        assert client.get("/readyz").status_code == 503


def test_a_service_that_never_read_its_account_says_so(tmp_path: Path) -> None:
    with TestClient(create_app(nowhere(tmp_path)), base_url="http://127.0.0.1") as client:
        until(lambda: client.app.state.domains.knowledge.errors())
        page = client.get("/hub", headers=HTML)
        assert page.status_code == 503
        assert "The account has not been read yet" in page.text
        answer = client.get("/api/v1/hub/plan")
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("not_yet_known", "5")
        for address in ("/", "/operations", "/api/v1/overview", "/api/v1/spokes"):
            assert client.get(address, headers=HTML).status_code == 200
