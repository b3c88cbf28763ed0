"""One line a spoke and environment: the worst first, and a reading composed once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from services.health.types import SpokeHealth
from services.knowledge.known import seeing, shown
from services.knowledge.types import NotYetKnown
from services.overview.service import Overview, badness
from services.overview.types import SpokeGlance

NOW = datetime(2025, 7, 20, 12, tzinfo=UTC)


def row(name: str, **more: Any) -> SpokeGlance:
    return SpokeGlance(name, name, "team", "DEV", **more)


def test_the_worst_comes_first() -> None:
    rows = [
        row("well", success_7=1.0, features_lag_seconds=10, features_target_seconds=60),
        row("new"),
        row("alerts", open_alerts=3),
        row("shaky", success_7=0.5),
        row("late", features_lag_seconds=61, features_target_seconds=60),
        row("failing", open_failures=1),
        row("broken", open_failures=4, success_7=1.0),
    ]
    assert [one.spoke for one in sorted(rows, key=badness)] == [
        "broken",
        "failing",
        "late",
        "shaky",
        "alerts",
        "new",
        "well",
    ]


# What the history has of the place.
SEEN = SpokeHealth("tides", "DEV", (), None, None, None, NOW + timedelta(days=1), None, 0)


class World:
    """What the domains below know, and how often one of them is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.as_of: datetime | None = None
        self.commits = 0
        self.now = NOW

    def freshness(self, spoke: str, environment: str) -> tuple[Any, ...]:
        self.asked += 1
        if self.as_of is None:
            raise NotYetKnown
        shown(self.as_of)
        return (
            SimpleNamespace(name="F", last_refreshed_at=NOW - timedelta(minutes=2), target_lag_seconds=60.0),
            SimpleNamespace(name="F", last_refreshed_at=NOW, target_lag_seconds=None),
        )

    def overview(self) -> Overview:
        place = SimpleNamespace(environment="DEV")
        known = SimpleNamespace(name="tides", title="Tides", owner="Sea", environments=(place,))
        parts: Any = {
            "spokes": SimpleNamespace(all=lambda: (known,)),
            "health": SimpleNamespace(glance=lambda: (SEEN,)),
            "failures": SimpleNamespace(open_by_place=lambda: {("tides", "DEV"): 2, ("hub", "DEV"): 3}),
            "features": SimpleNamespace(freshness=self.freshness),
            "registry": SimpleNamespace(models=lambda *place: ()),
            "predictions": SimpleNamespace(
                evaluations=lambda *place, limit: SimpleNamespace(registered=None, items=()),
                last_day=lambda *place: None,
                open_alerts=lambda *place: 0,
            ),
            "knowledge": SimpleNamespace(as_of=lambda part: self.as_of),
        }
        return Overview(
            **parts,
            copied=lambda: self.commits,
            next_run=lambda *place: NOW + timedelta(hours=1),
            credits=lambda days: {("tides", "DEV"): 1.5},
            clock=lambda: self.now,
        )


def test_a_reading_is_composed_once_and_grows_older() -> None:
    world = World()
    overview = world.overview()
    (unread,) = overview.glance()
    assert overview.hub_failures() == {"DEV": 3}
    assert (unread.known, unread.open_failures, unread.credits_7) == (False, 2, 1.5)
    world.as_of = NOW
    (first,) = overview.glance("tides")
    assert (first.known, first.feature_views, first.features_lag_seconds) == (True, 1, 120.0)
    # What the place's own reading told, even of nothing, comes before what the history has.
    assert (unread.next_run_at, first.next_run_at) == (NOW + timedelta(days=1), NOW + timedelta(hours=1))
    world.now += timedelta(minutes=1)
    (later,) = overview.glance()
    assert (later.features_lag_seconds, later.features_target_seconds, world.asked) == (180.0, 60.0, 2)
    world.commits += 1
    overview.glance()
    assert world.asked == 3
    assert overview.glance("other") == ()


def test_what_is_kept_is_told_of_with_its_age() -> None:
    world = World()
    world.as_of = NOW
    overview = world.overview()
    for _ in range(2):
        (line,), seen = seeing(overview.glance)
        assert (line.known, seen.as_of) == (True, NOW)
    assert world.asked == 1
