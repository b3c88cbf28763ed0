"""The stages of a deployment: tables and views, then feature views, then bundle, procedures and graphs.

Each stage imports its client when it runs: together they take seconds, and a stage needs one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spoke_kit import bundle, shared, tables
from spoke_kit import manifest as manifests
from spoke_kit.connection import open_session
from spoke_kit.errors import ConfigError
from spoke_kit.layout import Layout
from spoke_kit.names import Names, argument, literal

Emit = Callable[..., None]


@dataclass(frozen=True)
class Target:
    """One spoke, opened for one environment."""

    session: Any
    package: str
    manifest: manifests.Manifest
    names: Names
    bundle: bundle.Bundle
    emit: Emit

    def log(self, message: str) -> None:
        self.emit("log", message=message)

    def change(self, kind: str, name: str, action: str) -> dict[str, str]:
        """Report one object and what becomes of it."""
        self.emit("change", kind=kind, name=name, action=action)
        return {"kind": kind, "name": name, "action": action}


def run(
    *,
    spoke_directory: Path,
    environment: str,
    stage: str,
    connection: Mapping[str, Any],
    layout: Layout,
    plan_only: bool,
    emit: Emit,
) -> dict[str, Any]:
    """Deploy ``stage`` or say what it would change; returns spoke, environment, bundle and the changes."""
    settings = manifests.load(spoke_directory, environment)
    packed = bundle.build(spoke_directory)
    if packed.spoke != settings.spoke:
        raise ConfigError(
            f"spoke.yaml: spoke: {settings.spoke!r} lies in a directory named {packed.spoke!r}",
            "The directory is the spoke's Python package: give both the same name.",
        )
    names = Names(layout, settings.spoke, environment)

    def report(text: str, query_id: str | None, seconds: float, rows: int | None) -> None:
        emit("sql", text=text, query_id=query_id, seconds=round(seconds, 4), rows=rows)

    parameters = {"warehouse": settings.compute.warehouse, **connection, "database": argument(names.database)}
    session = open_session(parameters, report)
    work = PLANS if plan_only else STAGES
    try:
        with importable(packed):
            target = Target(session, packed.spoke, settings, names, packed, emit)
            wanted = [name for name in work if stage in (name, "all")]
            changes = [change for name in wanted for change in work[name](target)]
    finally:
        session.close()
    return {
        "spoke": settings.spoke,
        "environment": names.environment,
        "bundle": packed.name,
        "planned": plan_only,
        "changes": changes,
    }


@contextmanager
def importable(packed: bundle.Bundle) -> Iterator[None]:
    """Import the project from its bundle, so that what is planned is what will run."""
    with tempfile.TemporaryDirectory(prefix="spoke-bundle-") as folder:
        path = Path(folder) / packed.name
        path.write_bytes(packed.data)
        sys.path.insert(0, str(path))
        try:
            yield
        finally:
            sys.path.remove(str(path))


def deploy_tables(target: Target) -> list[dict[str, str]]:
    count = tables.deploy(target.session, target.package, target.manifest, target.names)
    target.log(f"Applied {count} statements of {', '.join(target.manifest.tables)}")
    return [target.change("schema", target.names.schema, "apply")]


def plan_tables(target: Target) -> list[dict[str, str]]:
    missing = tables.missing_schemas(target.session, target.names)
    found = [target.change("schema", name, "create") for name in missing]
    return [*found, *(target.change("sql", file, "apply") for file in target.manifest.tables)]


def deploy_features(target: Target) -> list[dict[str, str]]:
    from spoke_kit import features

    tables.ensure_schemas(target.session, target.names)
    names = target.names
    wanted = features.offers(target.package, target.manifest.feature_views, names, names.prefixed)
    store = features.open_store(target.session, names, target.manifest.compute.warehouse, create=True)
    shared.require_offered(names, target.manifest.shared_features, features.registered(store))
    changes = features.register(target.session, store, target.manifest.entities, names.environment, wanted)
    return [target.change("feature view", f"{one.name} {one.version}", one.action) for one in changes]


def plan_features(target: Target) -> list[dict[str, str]]:
    from spoke_kit import features

    names = target.names
    wanted = features.offers(target.package, target.manifest.feature_views, names, names.prefixed)
    store = None
    if features.store_exists(target.session, names):
        store = features.open_store(target.session, names, target.manifest.compute.warehouse)
    shared.require_offered(names, target.manifest.shared_features, features.registered(store))
    changes = features.plan(store, wanted, names.environment)
    return [target.change("feature view", f"{one.name} {one.version}", one.action) for one in changes]


def deploy_graphs(target: Target) -> list[dict[str, str]]:
    from spoke_kit import graphs

    tables.ensure_schemas(target.session, target.names)
    deployment = graphs.Deployment(target.session, target.manifest, target.names, target.bundle)
    changes = [target.change("bundle", target.bundle.name, upload(target))]
    for name, handler in target.manifest.procedures.items():
        sql = deployment.procedure_sql(name, handler, "CONFIG VARCHAR", target.bundle.name)
        target.session.sql(sql).collect()
        changes.append(target.change("procedure", name, "replace"))
    for graph in target.manifest.graphs:
        target.log(f"Deploying {graph}")
        changes.append(target.change("graph", graph, graphs.deploy(deployment, graph)))
    return changes


def plan_graphs(target: Target) -> list[dict[str, str]]:
    from spoke_kit import graphs

    if target.names.schema in tables.missing_schemas(target.session, target.names):
        return [target.change("graph", name, graphs.CREATE) for name in target.manifest.graphs]
    deployment = graphs.Deployment(target.session, target.manifest, target.names, target.bundle)
    return [
        target.change("graph", graph, graphs.action(deployment, graph)) for graph in target.manifest.graphs
    ]


def upload(target: Target) -> str:
    """Put the bundle on the spoke's stage; its name holds its digest, so one that is there is the same."""
    stage = target.names.own(bundle.STAGE)
    target.session.sql(f"CREATE STAGE IF NOT EXISTS {stage}").collect()
    listed = target.session.sql(f"LIST @{stage}").collect()
    if any(row["name"].endswith(f"/{target.bundle.name}") for row in listed):
        return "keep"
    with tempfile.TemporaryDirectory(prefix="spoke-upload-") as folder:
        path = Path(folder) / target.bundle.name
        path.write_bytes(target.bundle.data)
        target.session.sql(
            f"PUT {literal('file://' + str(path))} @{stage} AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
        ).collect()
    return "create"


STAGES = {"tables": deploy_tables, "features": deploy_features, "graphs": deploy_graphs}
PLANS = {"tables": plan_tables, "features": plan_features, "graphs": plan_graphs}
