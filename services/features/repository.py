"""Feature views as the account holds them: SHOW, DESCRIBE and tags, without a line of the spoke's code.

https://docs.snowflake.com/en/developer-guide/snowflake-ml/feature-store/rbac: a feature view is a dynamic
table or a view named NAME$VERSION that carries the feature store's tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.core.clock import Clock
from services.core.errors import SnowflakeFailed
from services.features.types import Consumer, FeatureColumn, FeatureView, FeatureViewKind
from services.knowledge.known import answered_at
from services.knowledge.types import NotYetKnown
from services.snowflake.answers import Answers
from services.snowflake.identifiers import like_prefix, literal, quote
from services.snowflake.scope import Scope, within

Row = dict[str, Any]
#: NAME$VERSION → who reads it.
Consumers = Callable[[str], tuple[Consumer, ...]]
_MISSING = frozenset({2003, 2043})
_METADATA = "SNOWML_FEATURE_VIEW_METADATA"
_ENTITY = "SNOWML_FEATURE_STORE_ENTITY_"
_LAG = re.compile(r"(\d+)\s*(second|minute|hour|day|week)s?\Z", re.IGNORECASE)
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_DEFINITION = re.compile(r"\s*\(definition [0-9a-f]+\)\s*\Z")


@dataclass(frozen=True, slots=True)
class Shape:
    """Its columns and entities."""

    columns: tuple[FeatureColumn, ...]
    entities: tuple[str, ...]


class FeatureViews:
    """Reads the feature store of a scope."""

    def __init__(self, source: Answers) -> None:
        self._source = source

    def rows(self, scope: Scope) -> list[Row]:
        """The SHOW rows of the spoke's feature views; none while the schema does not exist."""
        like = like_prefix(scope.prefix)
        found = []
        for kind in ("DYNAMIC TABLE", "VIEW"):
            try:
                rows = self._source.query(f"SHOW {kind}S LIKE {like} IN SCHEMA {scope.feature_store}")
            except SnowflakeFailed as error:
                if isinstance(error.detail, dict) and error.detail.get("errno") in _MISSING:
                    return []
                raise
            found += [{**row, "KIND": kind} for row in rows if "$" in row["name"]]
        return found

    def read(
        self, scope: Scope, provider: str, consumers: Consumers, clock: Clock, *, shapes: bool = True
    ) -> tuple[FeatureView, ...]:
        """The feature views of a scope: by name, the newest version of each first.

        Without ``shapes`` they have no columns and entities, which take more questions to the account.
        """
        rows = self.rows(scope)
        # How far behind they were when the account said so.
        now = answered_at(clock)
        known = self.shapes(scope, rows) if shapes else {}
        found = [
            self._view(row, known.get(row["name"]), now, provider, consumers(row["name"])) for row in rows
        ]
        newest_first = sorted(found, key=lambda view: _order(view.version), reverse=True)
        return tuple(sorted(newest_first, key=lambda view: view.name))

    def _view(
        self, row: Row, shape: Shape | None, now: datetime, provider: str, consumers: tuple[Consumer, ...]
    ) -> FeatureView:
        """One feature view from its SHOW row."""
        kind: FeatureViewKind = row["KIND"]
        name, _, version = row["name"].rpartition("$")
        refreshed = row.get("data_timestamp")
        lag = row.get("target_lag")
        return FeatureView(
            name=name,
            version=version,
            kind=kind,
            entities=shape.entities if shape else (),
            columns=shape.columns if shape else (),
            description=_DEFINITION.sub("", row["comment"] or ""),
            owner=row["owner"] or "",
            refresh=lag,
            refresh_mode=row.get("refresh_mode"),
            scheduling_state=row.get("scheduling_state"),
            rows=row.get("rows"),
            created_at=row["created_on"],
            last_refreshed_at=refreshed,
            last_refresh_state=None,
            lag_seconds=max((now - refreshed).total_seconds(), 0.0) if refreshed else None,
            target_lag_seconds=lag_seconds(lag),
            consumed=any(one.in_use for one in consumers),
            sql=row["text"] or "",
            provider=provider,
            consumers=consumers,
        )

    def shapes(self, scope: Scope, rows: list[Row]) -> dict[str, Shape]:
        """The shape of each object by its name."""
        tags = self._tags(scope, [row["name"] for row in rows])
        return {row["name"]: self._shape(scope, row, tags.get(row["name"], {})) for row in rows}

    def _shape(self, scope: Scope, row: Row, tags: Mapping[str, str]) -> Shape:
        described = self._source.query(f"DESCRIBE {row['KIND']} {within(scope.feature_store, row['name'])}")
        metadata = json.loads(tags.get(_METADATA, "{}"))
        keys = {
            key.strip().upper()
            for tag, value in tags.items()
            if tag.startswith(_ENTITY)
            for key in value.split(",")
        }
        stamp = str(metadata.get("timestamp_col", ""))
        columns = tuple(
            FeatureColumn(
                one["name"],
                one["type"],
                one["comment"] or "",
                "key" if one["name"] in keys else "timestamp" if one["name"] == stamp else "feature",
            )
            for one in described
        )
        return Shape(columns, tuple(metadata.get("entities", ())))

    def _tags(self, scope: Scope, names: list[str]) -> dict[str, dict[str, str]]:
        """Object → tag → value; nothing while a view is so new that its tags, which need a warehouse, are not known."""
        if not names:
            return {}
        schema = f"{quote(scope.database)}.INFORMATION_SCHEMA"
        text = " UNION ALL ".join(
            f"SELECT {literal(name)} AS NAME, TAG_NAME, TAG_VALUE FROM TABLE({schema}.TAG_REFERENCES("
            f"{literal(str(within(scope.feature_store, name)))}, 'TABLE'))"
            for name in names
        )
        found: dict[str, dict[str, str]] = {}
        try:
            rows = self._source.query(text)
        except NotYetKnown:
            return {}
        for row in rows:
            found.setdefault(row["NAME"], {})[row["TAG_NAME"]] = row["TAG_VALUE"]
        return found


def _order(version: str) -> tuple[int, str]:
    """V10 comes after V9."""
    digits = "".join(filter(str.isdigit, version))
    return (int(digits) if digits else 0, version)


def lag_seconds(text: str | None) -> float | None:
    """A target lag like ``1 day`` in seconds; None for DOWNSTREAM and for none."""
    found = _LAG.match(text.strip()) if text else None
    return float(int(found.group(1)) * _UNITS[found.group(2).lower()]) if found else None
