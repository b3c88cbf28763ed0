"""One task as it was defined, and its row in the catalog of its database."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from embedded_account.catalog import Record
from embedded_account.errors import invalid_value
from embedded_account.names import ObjectName

KIND = "TASK"
NO_OVERLAP = "NO_OVERLAP"
CHILD_OVERLAP = "ALLOW_CHILD_OVERLAP"
ALL_OVERLAP = "ALLOW_ALL_OVERLAP"
OVERLAP_POLICIES = (NO_OVERLAP, CHILD_OVERLAP, ALL_OVERLAP)
DEFAULT_TIMEOUT_MS = 3_600_000
LONGEST_TIMEOUT_MS = 604_800_000
DEFAULT_SUSPEND_AFTER = 10
# What leaves the graph's version as it is: states and times, and the root's own running state.
_UNVERSIONED = {
    "started",
    "created_on",
    "last_committed_on",
    "last_suspended_on",
    "last_suspended_reason",
    "version",
    "failures",
}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class TaskDefinition:
    """A task. `predecessors` and `finalize` are names in the task's own schema; None means "not set".

    `version` is the graph version last cut (roots only), `failures` the consecutive failed runs since it was resumed.
    """

    name: ObjectName
    body: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    owner: str = "ACCOUNTADMIN"
    comment: str = ""
    warehouse: str | None = None
    schedule: str | None = None
    condition: str | None = None
    predecessors: tuple[str, ...] = ()
    finalize: str | None = None
    config: str | None = None
    overlap_policy: str | None = None
    timeout_ms: int | None = None
    suspend_after: int | None = None
    auto_retry: int | None = None
    session_parameters: dict[str, Any] = field(default_factory=dict)
    # Options that only size Snowflake's own compute: kept and shown.
    serverless: dict[str, Any] = field(default_factory=dict)
    started: bool = False
    created_on: datetime = field(default_factory=now)
    last_committed_on: datetime | None = None
    last_suspended_on: datetime | None = None
    last_suspended_reason: str | None = None
    version: int = 0
    failures: int = 0

    @property
    def is_root(self) -> bool:
        """Standalone tasks are roots of a graph of one."""
        return not self.predecessors and self.finalize is None

    @property
    def effective_overlap(self) -> str:
        return self.overlap_policy or NO_OVERLAP

    def having(self, **changes: Any) -> TaskDefinition:
        """A copy in which these fields, known by name only, are different."""
        return replace(self, **changes)

    def configuration(self) -> dict[str, Any]:
        return parse_config(self.config)

    def suspended(self, reason: str) -> TaskDefinition:
        return replace(self, started=False, last_suspended_on=now(), last_suspended_reason=reason)

    def resumed(self) -> TaskDefinition:
        return replace(self, started=True, failures=0)

    def content(self) -> dict[str, Any]:
        """What belongs to a version of its graph."""
        kept = {key: value for key, value in to_json(self).items() if key not in _UNVERSIONED}
        return kept if self.is_root else {**kept, "started": self.started}


def parse_config(text: str | None) -> dict[str, Any]:
    """The JSON object in a CONFIG clause.

    Raises:
        SnowflakeError: 001008 if it is not one.
    """
    if not text:
        return {}
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise invalid_value(f"invalid value [{text}] for parameter 'CONFIG': a JSON object is expected.")
    return value


_TIMES = ("created_on", "last_committed_on", "last_suspended_on")


def to_json(task: TaskDefinition) -> dict[str, Any]:
    values = asdict(task)
    values["name"] = list(task.name)
    for key in _TIMES:
        values[key] = values[key].isoformat() if values[key] else None
    return values


def from_json(values: dict[str, Any]) -> TaskDefinition:
    known = {f.name for f in fields(TaskDefinition)}
    found = {key: value for key, value in values.items() if key in known}
    found["name"] = ObjectName(*found["name"])
    found["predecessors"] = tuple(found.get("predecessors") or ())
    for key in _TIMES:
        if found.get(key):
            found[key] = datetime.fromisoformat(found[key])
    return TaskDefinition(**found)


def to_record(task: TaskDefinition) -> Record:
    body = to_json(task)
    for key in ("name", "owner", "comment", "created_on"):
        del body[key]
    return Record(KIND, task.name.schema, task.name.name, task.owner, task.comment, body, task.created_on)


def from_record(database: str, record: Record) -> TaskDefinition:
    """`created_on` comes from the record's own column, in UTC."""
    task = from_json({**record.body, "name": (database, record.schema, record.name)})
    created = record.created_on.astimezone(UTC)
    return replace(task, owner=record.owner, comment=record.comment, created_on=created)
