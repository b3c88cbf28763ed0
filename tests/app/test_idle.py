"""What a service sends to its account by itself: the readings of its schedule, and nothing else."""

from __future__ import annotations

import re
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from app.main import create_app
from services.core.settings import read_settings
from services.operations import OperationFilter
from services.snowflake import deployer
from services.snowflake.embedded import EmbeddedAccount
from services.sync.sources import KIND
from tests.account.fault_proxy import FaultProxy
from tests.app.conftest import TestClient
from tests.app.test_domains import Api
from tests.app.test_third_spoke import THIRD

PERIODS = 3
WAREHOUSE = r"SPOKEHUB\\_WH"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, FaultProxy]]:
    folder = tmp_path_factory.mktemp("idle")
    settings = read_settings(
        {"SPOKEHUB_DATA": str(folder), "SPOKEHUB_EXAMPLE": "none", "SPOKEHUB_SYNC_SECONDS": "10"}
    )
    embedded = EmbeddedAccount.of(settings)
    assert embedded is not None
    where = embedded.address

    def target() -> tuple[str, int]:
        address = where()
        return address.host, address.port

    with ExitStack() as stack, warnings.catch_warnings():
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(deployer, "SPOKES", THIRD)
        patched.setattr("services.sync.schedule._LOOK", timedelta(seconds=1))
        proxy = stack.enter_context(FaultProxy(target))
        stack.enter_context(proxy.before(embedded))
        client = stack.enter_context(
            TestClient(create_app(settings, embedded=embedded), base_url="http://127.0.0.1")
        )
        api = Api(client)
        api.awaited("/simulation")
        api.done("/hub/apply")
        api.done("/spokes", {"spoke": "tides"})
        yield api, proxy


def readings(api: Api) -> list[Any]:
    """Those of the schedule that are over, oldest first."""
    operations = api.client.app.state.domains.operations
    found = operations.list(OperationFilter(kind=KIND), 200).items
    return [one for one in reversed(found) if one.state.final]


def between(api: Api, proxy: FaultProxy, least: int = 0) -> tuple[int, int]:
    """How many readings are over and how many statements were sent, at a moment when none goes on."""
    operations, end = api.client.app.state.domains.operations, time.monotonic() + 300
    while True:
        found = len(readings(api)), len(proxy.statements)
        idle = operations.open(KIND) is None
        if idle and found[0] >= least and found == (len(readings(api)), len(proxy.statements)):
            return found
        assert time.monotonic() < end
        time.sleep(0.05)


def shape(statement: str) -> str:
    """A statement without its moments."""
    return re.sub(r"'20\d\d-[^']*'", "'…'", " ".join(statement.split()))


def test_an_idle_service_sends_what_the_readings_send(world: tuple[Api, FaultProxy]) -> None:
    """What docs/concepts/health.md says of a reading of everything, with one spoke in one environment."""
    api, proxy = world
    done, begin = between(api, proxy, 1)
    over, end = between(api, proxy, done + PERIODS)
    for one in readings(api)[done:over]:
        assert (one.params["reach"], one.params["usage"], one.result["errors"]) == ("all", True, {})
    # Each period the same, and nothing beside.
    all_ = Counter(shape(text) for text in proxy.statements[begin:end])
    assert {text for text, n in all_.items() if n % (over - done)} == set()
    sent = Counter({text: n // (over - done) for text, n in all_.items()})
    assert {text: n for text, n in sent.items() if n > 1} == {
        'SELECT CURRENT_TIMESTAMP AS "NOW"': 2,
        # The hub's own objects, and whether it runs.
        f"SHOW WAREHOUSES LIKE '{WAREHOUSE}'": 2,
    }
    kinds = Counter(kind_of(text) for text in sent.elements())
    assert kinds == {"SHOW": 34, "free": 3, "catalogue": 6, "live": 4, "usage": 9}


def kind_of(text: str) -> str:
    if text.startswith("SHOW "):
        return "SHOW"
    if "FROM" not in text:
        return "free"
    if "ACCOUNT_USAGE" in text:
        return "usage"
    return "live" if "INFORMATION_SCHEMA" in text and "TAG_REFERENCES" not in text else "catalogue"


def test_a_service_that_reads_nothing_by_itself_sends_nothing(world: tuple[Api, FaultProxy]) -> None:
    api, proxy = world
    schedule = api.client.app.state.domains.sync._schedule
    schedule.stop(10)
    operations = api.client.app.state.domains.operations
    end = time.monotonic() + 60
    while operations.open(KIND) is not None:
        assert time.monotonic() < end
        time.sleep(0.05)
    begin = len(proxy.statements)
    free = operations.submit(KIND, {"reach": "free", "usage": False}, actor="ada")
    assert operations.wait(free.id, 60).state == "succeeded"
    # What is read between the readings that need a warehouse: SHOW alone, and who asks.
    kinds = Counter(kind_of(text) for text in proxy.statements[begin:])
    assert kinds == {"SHOW": 33, "free": 1}
    before = proxy.requests
    time.sleep(10)
    assert proxy.requests == before
