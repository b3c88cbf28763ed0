"""Feature views of the sample as they do: one of each state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.core.errors import NotFound
from services.features.types import (
    ColumnProfile,
    Consumer,
    FeatureHealthPage,
    Refresh,
    ViewHealth,
)

NOW = datetime.now(UTC).replace(microsecond=0)
ERROR = "Numeric value 'n/a' is not recognized"


def _refreshes(*failed: int, late: tuple[int, ...] = ()) -> tuple[Refresh, ...]:
    found = []
    for index in range(30):
        began = NOW - timedelta(hours=30 - index)
        bad = index in failed
        found.append(
            Refresh(
                "FAILED" if bad else "SUCCEEDED",
                began,
                began + timedelta(seconds=10 + index % 7),
                10.0 + index % 7,
                index in late,
                None if bad else 120,
                None if bad else 7,
                ERROR if bad else None,
            )
        )
    return tuple(found)


COLUMNS = (
    ColumnProfile("COMPETITORS_1KM", 36_500, 0, 41, 36_400, 0, 41),
    ColumnProfile("DEMAND_CAPACITY_RATIO", 36_500, 1_095, 30_112, 36_400, 364, 30_200),
    ColumnProfile("PUDO_ID", 36_500, 0, 100),
)
GOOD = ViewHealth(
    "pudo", "DEV", "PUDO__GEOSPATIAL_FEATURES", "V1", "DYNAMIC TABLE", "good", NOW, "ACTIVE", "1 hour", 240.0, 3600.0,
    NOW - timedelta(minutes=4), 36_500, _refreshes(), 0, 2, rows_inserted_7=9_876, rows_deleted_7=54,
    profiled_at=NOW - timedelta(hours=2), profiled_before_at=NOW - timedelta(days=1), columns=COLUMNS,
    consumers=(Consumer("pudo", "DEV", True, ("PUDO__CAPACITY_MODEL$V1",)),),
)  # fmt: skip
VIEWS = (
    replace(
        GOOD, environment="STAGING", state="failed", refreshes=_refreshes(27, 28, 29), missed_7=2, missed_30=3,
        failed_7=3, failed_30=4, failed_at=NOW - timedelta(hours=1), failure=ERROR, failure_code="100038", columns=(),
        lag_seconds=7_200.0, profiled_at=None, profiled_before_at=None,
    ),
    replace(
        GOOD, provider="hub", name="SHARED__NEIGHBOURHOOD", state="late", lag_seconds=172_800.0,
        target_lag_seconds=86_400.0, refreshes=_refreshes(late=(10, 29)), missed_7=2, consumers=(), columns=(),
    ),
    replace(GOOD, name="PUDO__OLD_FEATURES", version="V0", state="suspended", scheduling_state="SUSPENDED"),
    GOOD,
    ViewHealth("pudo", "DEV", "PUDO__TEMPORAL_FEATURES", "V1", "VIEW", "good", NOW, consumers=GOOD.consumers),
)  # fmt: skip


class FeatureHealth:
    """What the health of feature views answers."""

    def __init__(self, empty: bool = False) -> None:
        self.profiled: list[tuple[str, str, str, str | None]] = []
        self._all = () if empty else VIEWS

    def views(self, spoke: str | None = None, environment: str | None = None) -> FeatureHealthPage:
        if spoke not in (None, "pudo"):
            raise NotFound(f"There is no spoke {spoke}.")
        items = tuple(one for one in self._all if environment in (None, one.environment))
        return FeatureHealthPage(items, () if environment else (("pudo", "PROD"),) if items else ())

    def start_profile(self, spoke: str, environment: str, actor: str, view: str | None = None) -> str:
        self.profiled.append((spoke, environment, actor, view))
        return "op-setup"
