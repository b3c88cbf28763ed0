"""Model versions: log with metrics and lineage, make one the default, keep what is in use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from snowflake.ml.registry import Registry

from spoke_kit.names import Names, argument, literal, quote

#: The key of a version's metadata, beside the registry's own ``metrics``, that holds its lineage.
LINEAGE = "spokehub"

#: What every model's versions are also called; SHOW VERSIONS lists them beside the aliases that people set.
SYSTEM_ALIASES = frozenset({"DEFAULT", "FIRST", "LAST"})


@dataclass(frozen=True)
class Version:
    """A model version as SHOW VERSIONS tells it; ``aliases`` are those that people set."""

    name: str
    created_on: datetime
    aliases: tuple[str, ...]
    is_default: bool
    metadata: Mapping[str, Any]

    @property
    def metrics(self) -> dict[str, Any]:
        return dict(self.metadata.get("metrics", {}))

    @property
    def lineage(self) -> dict[str, Any]:
        return dict(self.metadata.get(LINEAGE, {}))


def open_registry(session: Any, names: Names) -> Registry:
    return Registry(
        session=session, database_name=argument(names.database), schema_name=argument(names.model_registry)
    )


def open_model(session: Any, names: Names, model: str) -> Any:
    """The registry's own object of a model of the spoke."""
    return open_registry(session, names).get_model(argument(names.prefixed(model)))


def versions(session: Any, names: Names, model: str) -> list[Version]:
    """All versions of a model of the spoke, oldest first; none when the model does not exist."""
    schema = f"{quote(names.database)}.{quote(names.model_registry)}"
    name = names.prefixed(model)
    models = session.sql(f"SHOW MODELS LIKE {literal(name)} IN SCHEMA {schema}").collect()
    default = next((row["default_version_name"] for row in models if row["name"] == name), None)
    if default is None:
        return []
    shown = session.sql(f"SHOW VERSIONS IN MODEL {schema}.{quote(name)}").collect()
    found = [
        Version(
            name=row["name"],
            created_on=row["created_on"],
            aliases=tuple(one for one in json.loads(row["aliases"] or "[]") if one not in SYSTEM_ALIASES),
            is_default=row["name"] == default,
            metadata=json.loads(row["metadata"] or "{}"),
        )
        for row in shown
    ]
    return sorted(found, key=lambda version: version.created_on)


def log_version(
    session: Any,
    names: Names,
    model: str,
    version: str,
    estimator: Any,
    *,
    signature: Any,
    packages: list[str],
    artifact_repository: str | None,
    metrics: Mapping[str, float],
    lineage: Mapping[str, Any],
    comment: str,
    method: str = "predict",
) -> bool:
    """Log a version with its metrics and lineage. False when it was there already, as after a retry.

    Metrics and lineage are one statement after the version itself: a killed run writes them on its retry.
    """
    present = any(found.name == version for found in versions(session, names, model))
    if not present:
        open_registry(session, names).log_model(
            estimator,
            model_name=argument(names.prefixed(model)),
            version_name=argument(version),
            comment=comment,
            signatures={method: signature},
            **_dependencies(packages, artifact_repository),
            target_platforms=["WAREHOUSE"],
            options={"enable_explainability": False},
        )
    set_metadata(session, names, model, version, {"metrics": dict(metrics), LINEAGE: dict(lineage)})
    return not present


def _dependencies(packages: list[str], artifact_repository: str | None) -> dict[str, Any]:
    """Arguments of log_model. Pinned packages are kept as they are from a repository of the Python Package Index; those
    of Anaconda are loosened by the client to the major version.

    https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview
    """
    if artifact_repository is None:
        return {"conda_dependencies": packages}
    return {"pip_requirements": packages, "artifact_repository_map": {"pip": artifact_repository}}


def set_metadata(session: Any, names: Names, model: str, version: str, values: Mapping[str, Any]) -> None:
    """Merge ``values`` into the metadata of a version, in the registry's own form."""
    current = next(found for found in versions(session, names, model) if found.name == version)
    merged = {**current.metadata, **values, "snowpark_ml_schema_version": "2024-01-01"}
    qualified = names.qualified(names.model_registry, names.prefixed(model))
    metadata = literal(json.dumps(merged))
    session.sql(
        f"ALTER MODEL {qualified} MODIFY VERSION {quote(version)} SET METADATA = {metadata}"
    ).collect()


def promote(session: Any, names: Names, model: str, version: str) -> None:
    """Make ``version`` the default of its model."""
    open_model(session, names, model).default = argument(version)


def outdated(found: list[Version], now: datetime, days: int, in_use: set[str]) -> list[str]:
    """Versions older than ``days`` at ``now`` (aware) that are neither default, aliased nor in use."""
    limit = now - timedelta(days=days)
    return [
        version.name
        for version in found
        if _aware(version.created_on) < limit
        and not version.is_default
        and not version.aliases
        and version.name not in in_use
    ]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def delete_version(session: Any, names: Names, model: str, version: str) -> None:
    open_model(session, names, model).delete_version(argument(version))
