"""The hub's feature views and their consumers, from what an account lists and what manifests name."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.core.errors import Conflict
from services.core.hub import load_declaration
from services.features.service import Features
from services.features.shared import SharedFeatures
from services.features.types import Consumer
from services.snowflake.scope import Scope

HUB = load_declaration()
LISTED = ("SHARED__CALENDAR$V1", "SHARED__CALENDAR$V10", "SHARED__CALENDAR$V9", "A__OWN$V1")


class Account:
    """Lists views by the prefix that is asked for, as SHOW does; describes none."""

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        if not text.startswith("SHOW VIEWS"):
            return []
        prefix = text.split("'")[1].replace("\\", "").rstrip("%")
        common = {"created_on": datetime(2025, 7, 1, tzinfo=UTC), "comment": "", "owner": "R", "text": ""}
        return [{**common, "name": name} for name in LISTED if name.startswith(prefix)]


def scope(spoke: str, environment: str, shared: dict[str, str], own: dict[str, str]) -> Scope:
    views = {name: SimpleNamespace(consumes=version) for name, version in own.items()}
    manifest: Any = SimpleNamespace(shared_features=shared, feature_views=views)
    return Scope(HUB, spoke, environment, manifest)


def version(name: str, *views: str, dataset: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(model="M", version=name, feature_views=views, dataset=dataset)


SCOPES = (
    scope("a", "DEV", {"CALENDAR": "V10"}, {"OWN": "V1"}),
    scope("b", "DEV", {"CALENDAR": "V9"}, {}),
    scope("c", "DEV", {}, {}),
    scope("a", "PROD", {"CALENDAR": "V10"}, {}),
)
MADE = {
    ("a", "DEV"): [
        version("3", "SHARED__CALENDAR$V10", "A__OWN$V1", dataset="D$2"),
        version("2", "SHARED__CALENDAR$V10", dataset="D$2"),
        version("1", "SHARED__CALENDAR$V9", dataset="D$1"),
    ]
}


@pytest.fixture
def shared() -> SharedFeatures:
    nobody: Any = None
    spokes: Any = SimpleNamespace(onboarded=lambda: SCOPES)
    return SharedFeatures(HUB, nobody, Account(), spokes, lineage(), nobody)


def lineage() -> Any:
    def models(spoke: str, environment: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(versions=MADE.get((spoke, environment), []))]

    return SimpleNamespace(models=models)


def test_each_version_tells_its_consumers(shared: SharedFeatures) -> None:
    found = shared.views("DEV")
    assert [(view.name, view.version, view.provider, view.consumed) for view in found] == [
        ("SHARED__CALENDAR", "V10", "hub", True),
        ("SHARED__CALENDAR", "V9", "hub", True),
        ("SHARED__CALENDAR", "V1", "hub", False),
    ]
    assert [view.consumers for view in found] == [
        (Consumer("a", "DEV", True, ("M$3", "M$2"), ("D$2",)),),
        (Consumer("a", "DEV", False, ("M$1",), ("D$1",)), Consumer("b", "DEV", True)),
        (),
    ]


def test_a_spoke_sees_its_own_and_what_it_consumes_of_the_hub(shared: SharedFeatures) -> None:
    nobody: Any = None
    known = {(one.spoke, one.environment): one for one in SCOPES}

    def scopes(spoke: str, environment: str) -> Scope:
        return known.get((spoke, environment), Scope(HUB, spoke, environment))

    features = Features(Account(), scopes, shared, lineage(), nobody)
    assert [(view.name, view.version, view.provider) for view in features.views("a", "DEV")] == [
        ("A__OWN", "V1", "a"),
        ("SHARED__CALENDAR", "V10", "hub"),
    ]
    assert features.views("c", "DEV") == ()
    assert features.views("c", "PROD") == (), "where it is not onboarded"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({}, None),
        ({"CALENDAR": "V1"}, None),
        ({"CALENDAR": "V2"}, "The hub does not offer SHARED__CALENDAR V2 in DEV"),
        ({"CALENDAR": "V1", "TIDES": "V1"}, "The hub does not offer SHARED__TIDES V1 in DEV"),
    ],
)
def test_what_is_not_offered_is_refused(
    shared: SharedFeatures, wanted: dict[str, str], message: str | None
) -> None:
    asking = scope("a", "DEV", wanted, {})
    if message is None:
        shared.require_offered(asking)
        return
    with pytest.raises(Conflict) as refused:
        shared.require_offered(asking)
    assert (refused.value.message, refused.value.status) == (message, 409)
    offered = "It offers SHARED__CALENDAR V1, SHARED__CALENDAR V10, SHARED__CALENDAR V9."
    assert refused.value.hint == offered
