"""Whether the version of a run becomes the default, and the alert that says why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from spoke_kit import registry
from spoke_kit.errors import DataMissing
from spoke_kit.gates import failed_gates
from spoke_kit.names import literal
from spoke_kit.registry import Version
from spoke_kit.tasks import Json, TaskContext

_ALERT = """INSERT INTO {own:ALERTS} (ALERT_ID, KIND, SUBJECT, ALERT_DATE, MESSAGE, DETAIL, RUN_ID, CREATED_AT)
SELECT {alert_id}, {kind}, {subject}, {now}::DATE, {message}, {detail}, {run_id}, {now}::TIMESTAMP_NTZ
WHERE NOT EXISTS (SELECT 1 FROM {own:ALERTS} WHERE ALERT_ID = {alert_id})"""


def judge(context: TaskContext, model: str, trained: Json) -> list[str]:
    """The gates that the version ``trained`` tells of did not pass; the verdict is kept in its metadata."""
    failed = failed_gates(trained["metrics"], context.manifest.models[model])
    version = next(
        found
        for found in registry.versions(context.session, context.names, model)
        if found.name == trained["version"]
    )
    lineage = {**version.lineage, "gates": {"passed": not failed, "failed": failed}}
    registry.set_metadata(context.session, context.names, model, version.name, {registry.LINEAGE: lineage})
    return failed


def promote(context: TaskContext, model: str) -> Json:
    """Make the version of this run the default. Returns it with the one that it replaces."""
    found = registry.versions(context.session, context.names, model)
    version = version_of_run(found, context.run_id)
    before = next((one.name for one in found if one.is_default), None)
    registry.promote(context.session, context.names, model, version.name)
    return {"version": version.name, "replaced": before if before != version.name else None}


def warn(context: TaskContext, model: str) -> Json:
    """Leave an alert in the spoke's table ALERTS that says why the version of this run was not promoted."""
    found = registry.versions(context.session, context.names, model)
    version = version_of_run(found, context.run_id)
    reasons = version.lineage.get("gates", {}).get("failed", [])
    values = {
        "alert_id": f"MODEL_QUALITY:{version.name}",
        "kind": "MODEL_QUALITY",
        "subject": version.name,
        "message": f"{version.name} was not promoted: {'; '.join(reasons)}",
        "detail": json.dumps(version.metrics, sort_keys=True),
        "run_id": context.run_id,
        "now": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    }
    context.sql(_ALERT, **{name: literal(value) for name, value in values.items()})
    return {"version": version.name, "failed": reasons}


def version_of_run(found: list[Version], run_id: str) -> Version:
    """The version that the run logged. DataMissing when there is none."""
    for version in found:
        if version.lineage.get("run_id") == run_id:
            return version
    raise DataMissing(f"run {run_id} logged no model version", "Run the training again.")
