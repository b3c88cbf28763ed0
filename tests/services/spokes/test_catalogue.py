"""The catalogue's rows of spokes, environments, bundles and deployments."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.db.engine import Database
from services.db.migrate import migrate
from services.db.records import EnvironmentRecord
from services.spokes.repository import Bundle, Catalogue, Deployment
from spoke_kit.layout import Layout
from tests.manifests import small

MANIFEST = small()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    database = Database(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    migrate(database)
    yield Catalogue(database, Layout(), Clock())
    database.close()


def deployment(name: str, part: str, at: datetime) -> Deployment:
    return Deployment(name, part, "h" * 64, "ada", "o-1", [{"kind": "graph"}], at)


def test_a_spoke_is_shown_once_it_is_active(catalogue: Catalogue) -> None:
    catalogue.enter(MANIFEST, "DEV")
    assert catalogue.all() == ()
    assert catalogue.manifest("pudo", "DEV") is None
    catalogue.activate("pudo", "DEV")
    (spoke,) = catalogue.all()
    assert (spoke.name, spoke.title, spoke.owner, spoke.description) == (
        "pudo",
        "PUDO",
        "Team",
        "What it does",
    )
    assert [
        (one.environment, one.schema_name, one.bundle, one.deployed_at) for one in spoke.environments
    ] == [("DEV", "PUDO_DEV", None, None)]
    assert catalogue.manifest("pudo", "DEV") == MANIFEST


def test_entering_again_brings_it_up_to_date(catalogue: Catalogue) -> None:
    catalogue.enter(MANIFEST, "DEV")
    catalogue.activate("pudo", "DEV")
    (before,) = catalogue.all()
    catalogue.enter(small(title="New"), "DEV")
    catalogue.activate("pudo", "DEV")
    (after,) = catalogue.all()
    assert after.title == "New"
    assert after.environments[0].onboarded_at == before.environments[0].onboarded_at


def test_a_deployment_is_written_once(catalogue: Catalogue) -> None:
    catalogue.enter(MANIFEST, "DEV")
    catalogue.activate("pudo", "DEV")
    bundle = Bundle("h" * 64, "pudo-h.zip", 10, ("a.py",))
    first, second = deployment("d1", "features", NOW), deployment("d2", "graphs", NOW + timedelta(hours=1))
    for _ in range(2):
        catalogue.deployed("pudo", "DEV", bundle, first)
    catalogue.deployed("pudo", "DEV", bundle, second)
    assert list(catalogue.deployments("pudo", "DEV")) == [second, first]
    (spoke,) = catalogue.all()
    assert (spoke.environments[0].bundle, spoke.environments[0].deployed_at) == (
        "h" * 64,
        NOW + timedelta(hours=1),
    )


def test_what_an_earlier_version_wrote_counts_as_not_onboarded(catalogue: Catalogue) -> None:
    catalogue.enter(MANIFEST, "DEV")
    catalogue.activate("pudo", "DEV")
    with catalogue._database.write() as db:
        db.get_one(EnvironmentRecord, ("pudo", "DEV")).config = {"name": "pudo", "gates": {}}
    assert catalogue.manifest("pudo", "DEV") is None
    catalogue.enter(MANIFEST, "DEV")
    assert catalogue.manifest("pudo", "DEV") == MANIFEST
