"""Models and versions as the account tells of them: SHOW MODELS and SHOW VERSIONS.

A version's metadata is JSON: ``metrics`` as the registry's client writes them, and under ``spokehub`` where it
came from. https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.core.errors import SnowflakeFailed
from services.registry.types import Model, ModelVersion
from services.snowflake.answers import Answers
from services.snowflake.identifiers import QualifiedName, like_prefix, quote
from services.snowflake.scope import Scope, within

Row = dict[str, Any]
_MISSING = frozenset({2003, 2043})
_NAIVE = {"naive_weekday_mae": "same_weekday_last_week", "naive_mean7_mae": "mean_of_7_days"}


class Models:
    """Reads and changes the models of a scope."""

    def __init__(self, source: Answers) -> None:
        self._source = source

    def all(self, scope: Scope) -> tuple[Model, ...]:
        """The spoke's models by name, versions newest first; none while the schema does not exist."""
        like = like_prefix(scope.prefix)
        try:
            rows = self._source.query(f"SHOW MODELS LIKE {like} IN SCHEMA {scope.registry}")
        except SnowflakeFailed as error:
            if isinstance(error.detail, dict) and error.detail.get("errno") in _MISSING:
                return ()
            raise
        return tuple(self._model(scope, row) for row in sorted(rows, key=lambda row: str(row["name"])))

    def _model(self, scope: Scope, row: Row) -> Model:
        name, default = row["name"], row["default_version_name"]
        shown = self._source.query(f"SHOW VERSIONS IN MODEL {within(scope.registry, name)}")
        versions = sorted(
            (_version(name, one, default) for one in shown), key=lambda one: one.created_at, reverse=True
        )
        return Model(name, scope.registry.name, default, tuple(versions), row.get("comment") or "")


def promote_sql(scope: Scope, model: str, version: str) -> str:
    """The statement that makes a version the default one."""
    return f"ALTER MODEL {within(scope.registry, model)} SET DEFAULT_VERSION = {quote(version)}"


def _version(model: str, row: Row, default: str | None) -> ModelVersion:
    metadata = _json(row.get("metadata"), {})
    lineage = metadata.get("spokehub") or {}
    numbers = _numbers(metadata.get("metrics") or {})
    return ModelVersion(
        model=model,
        version=row["name"],
        created_at=row["created_on"],
        is_default=row["name"] == default,
        aliases=tuple(name for name in _json(row.get("aliases"), []) if name not in _SYSTEM_ALIASES),
        comment=row.get("comment") or "",
        metrics={name: value for name, value in numbers.items() if name not in _NAIVE},
        naive_metrics={_NAIVE[name]: value for name, value in numbers.items() if name in _NAIVE},
        feature_views=tuple(
            f"{name}${version}" for name, version in sorted((lineage.get("feature_views") or {}).items())
        ),
        dataset=_dataset(lineage),
        functions=tuple(_json(row.get("functions"), [])),
        run_id=lineage.get("run_id"),
        graph=lineage.get("graph"),
        passed=(lineage.get("gates") or {}).get("passed"),
    )


# What the account itself calls the first, the last and the default version.
_SYSTEM_ALIASES = frozenset({"FIRST", "LAST", "DEFAULT"})


def _dataset(lineage: Mapping[str, Any]) -> str | None:
    """NAME$VERSION of what the version learned from."""
    name = lineage.get("dataset")
    versions = lineage.get("dataset_versions") or {}
    if not name:
        return None
    short = QualifiedName.parse(str(name)).name
    trained = versions.get("TRAIN") or next(iter(versions.values()), None)
    return f"{short}${trained}" if trained else short


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _json(text: Any, default: Any) -> Any:
    if not text:
        return default
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return default
