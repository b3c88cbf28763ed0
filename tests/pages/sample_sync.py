"""Readings: some done, one refused, one never."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from services.core.clock import utc_now
from services.sync.sources import LIVE_REFRESHES, LIVE_RUNS, LIVE_TITLES, USAGE
from services.sync.types import SourceStatus, SyncCost, SyncStatus

MINUTE = timedelta(minutes=1)


def _sources() -> tuple[SourceStatus, ...]:
    now = utc_now()
    live = [
        SourceStatus(
            name,
            LIVE_TITLES[name.split(":")[0]],
            "live",
            0.0,
            True,
            now - 4 * MINUTE,
            now,
            now,
            rows,
            2,
            3,
            0.4,
        )
        for name, rows in ((f"{LIVE_RUNS}:SPOKEHUB", 1234), (LIVE_REFRESHES, 56))
    ]
    usage = [
        SourceStatus(
            view.name, view.title, "usage", view.latency.total_seconds(), True, now - 30 * MINUTE,
            now - 30 * MINUTE, now - timedelta(days=400), 100 * at, at, 1, 0.8,
        )
        for at, view in enumerate(USAGE)
    ]  # fmt: skip
    refused = replace(
        usage[4],
        as_of=None,
        since=None,
        error="SQL compilation error: Object 'SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY' does not exist or "
        "not authorized.",
        hint="GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE SPOKEHUB_ADMIN",
    )
    return (*live, *usage[:4], refused, *usage[5:])


class Sync:
    """What the readings' page asks."""

    def __init__(self, never: bool = False) -> None:
        self.started: list[tuple[Any, ...]] = []
        now = utc_now()
        sources = _sources()
        if never:
            sources = tuple(
                SourceStatus(one.name, one.title, one.kind, one.latency, one.warehouse) for one in sources
            )
        self.told = SyncStatus(
            sources,
            SyncCost() if never else SyncCost(288, 2_304, 640.5, 61_000, 24, 21),
            None if never else now - 4 * MINUTE,
            now + MINUTE,
            now + 26 * MINUTE,
        )

    def status(self) -> SyncStatus:
        return self.told

    def start(self, actor: str, spoke: str | None = None, environment: str | None = None) -> Any:
        self.started.append((actor, spoke, environment))
        return SimpleNamespace(id="op-sync")
