"""Counts the columns of feature views in the account: one statement for each view, in a warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.core.errors import NotFound, SpokehubError
from services.core.hub import HUB
from services.features.refreshes import Measured
from services.features.service import Features
from services.features.shared import SharedFeatures
from services.features.types import FeatureColumn, FeatureView
from services.snowflake.failures import translate
from services.snowflake.identifiers import QualifiedName, named, quote
from services.snowflake.scope import Scope, Scopes, within

#: Sends a statement, returns its one row.
Ask = Callable[[str], Sequence[Any]]
# APPROX_COUNT_DISTINCT is asked of what can be compared.
_UNCOUNTED = ("ARRAY", "OBJECT", "MAP", "VECTOR", "GEOGRAPHY", "GEOMETRY", "FILE")


class Profiling:
    """What is to be counted, and the counting."""

    def __init__(self, features: Features, shared: SharedFeatures, scopes: Scopes) -> None:
        self._features = features
        self._shared = shared
        self._scopes = scopes

    def views(self, spoke: str, environment: str, view: str | None = None) -> tuple[FeatureView, ...]:
        """Those of the spoke and those of the hub's that it consumes, or all versions of one; NotFound 404."""
        found = self._features.views(spoke, environment)
        if view is not None:
            found = tuple(named(view, found, lambda one: one.name))
        if not found:
            which = f"feature view {view}" if view else "feature view"
            raise NotFound(
                f"There is no {which} of {spoke} in {environment}",
                hint="Deploy the feature views first.",
                code="unknown_feature_view",
            )
        return found

    def measure(self, ask: Ask, spoke: str, environment: str, view: FeatureView) -> Measured:
        """Ask for one view; SnowflakeFailed when it cannot be read."""
        own = self._scopes(spoke, environment)
        scope = self._shared.scope(own.environment) if view.provider == HUB else own
        try:
            row = ask(statement(_place(scope, view), view.columns))
        except SpokehubError:
            raise
        except Exception as error:
            translated = translate(error)
            if translated is None:
                raise
            raise translated from error
        rows, counts = int(row[0]), iter(row[1:])
        columns = []
        for column in view.columns:
            filled = int(next(counts))
            distinct = int(next(counts)) if _counted(column) else None
            columns.append((column.name, rows - filled, distinct))
        store = scope.feature_store
        key = (store.schema or "", store.name, f"{view.name}${view.version}")
        provider = None if view.provider == HUB else view.provider
        return Measured(key, provider, scope.environment, rows, tuple(columns))


def statement(view: QualifiedName, columns: Sequence[FeatureColumn]) -> str:
    """COUNT(*), then for each column COUNT and, where it can be counted, APPROX_COUNT_DISTINCT.

    https://docs.snowflake.com/en/sql-reference/functions/approx_count_distinct
    """
    parts = ["COUNT(*)"]
    for column in columns:
        name = quote(column.name)
        parts.append(f"COUNT({name})")
        if _counted(column):
            parts.append(f"APPROX_COUNT_DISTINCT({name})")
    return f"SELECT {', '.join(parts)} FROM {view}"


def _counted(column: FeatureColumn) -> bool:
    return not column.type.upper().startswith(_UNCOUNTED)


def _place(scope: Scope, view: FeatureView) -> QualifiedName:
    return within(scope.feature_store, f"{view.name}${view.version}")
