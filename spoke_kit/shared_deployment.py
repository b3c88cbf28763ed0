"""Deploys or plans the hub's own feature views: a project with a ``shared.yaml``, of which feature views are all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spoke_kit import bundle, features
from spoke_kit.connection import open_session
from spoke_kit.deployment import Emit, importable
from spoke_kit.errors import ConfigError
from spoke_kit.layout import SHARED_SPOKE, Layout
from spoke_kit.manifest import load_shared
from spoke_kit.names import Names, argument


def run(
    *,
    directory: Path,
    environment: str,
    connection: Mapping[str, Any],
    layout: Layout,
    plan_only: bool,
    emit: Emit,
) -> dict[str, Any]:
    """Register what the project offers in the environment's feature store, or say what that would change.

    The hub has made the store's schema. Returns environment, bundle and the changes.
    """
    manifest = load_shared(directory)
    packed = bundle.build(directory)
    if not connection.get("warehouse"):
        raise ConfigError("no warehouse", "Name one in the connection.")
    names = Names(layout, SHARED_SPOKE, environment)

    def report(text: str, query_id: str | None, seconds: float, rows: int | None) -> None:
        emit("sql", text=text, query_id=query_id, seconds=round(seconds, 4), rows=rows)

    session = open_session({**connection, "database": argument(names.database)}, report)
    try:
        with importable(packed):
            wanted = features.offers(packed.spoke, manifest.feature_views, names, names.shared_feature)
            warehouse = connection["warehouse"]
            if plan_only:
                there = features.store_exists(session, names)
                store = features.open_store(session, names, warehouse) if there else None
                changes = features.plan(store, wanted, names.environment)
            else:
                store = features.open_store(session, names, warehouse, create=True)
                changes = features.register(session, store, manifest.entities, names.environment, wanted)
    finally:
        session.close()
    for change in changes:
        emit("change", kind="feature view", name=f"{change.name} {change.version}", action=change.action)
    return {
        "environment": names.environment,
        "bundle": packed.name,
        "planned": plan_only,
        "changes": [
            {"kind": "feature view", "name": f"{one.name} {one.version}", "action": one.action}
            for one in changes
        ],
    }
