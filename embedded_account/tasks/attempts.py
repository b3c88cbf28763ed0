"""The attempts at a graph: how the row of the first and of each later one begins."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from embedded_account.errors import SnowflakeError
from embedded_account.names import ObjectName
from embedded_account.tasks.definition import TaskDefinition, now, parse_config
from embedded_account.tasks.runs import EXECUTING, SCHEDULED, GraphRun

# SCHEDULED_FROM
SCHEDULE = "SCHEDULE"
MANUAL = "EXECUTE TASK"
MANUAL_RETRY = "MANUAL RETRY"
AUTOMATIC_RETRY = "AUTOMATIC RETRY"
RETRY_WITHIN = timedelta(days=14)


def first(
    root: TaskDefinition,
    group: int,
    version: int,
    trigger: str,
    moment: datetime,
    config: str | None,
    *,
    last: GraphRun | None,
    following: datetime | None,
) -> GraphRun:
    """The first attempt of a group. `last` is the latest success of this root, `following` its next scheduled time."""
    return GraphRun(
        group=group,
        attempt=1,
        root_id=root.id,
        database=root.name.database,
        schema=root.name.schema,
        root=root.name.name,
        version=version,
        run_id=int(moment.timestamp() * 1000),
        state=SCHEDULED,
        scheduled_from=trigger,
        config=merged(root, config),
        default_config=root.config,
        scheduled=moment,
        original_scheduled=moment,
        next_scheduled=following,
        last_success_group=last.group if last else None,
        last_success_scheduled=last.original_scheduled if last else None,
    )


def following(last: GraphRun, trigger: str) -> GraphRun:
    """The attempt after `last`, executing."""
    return replace(
        last,
        attempt=last.attempt + 1,
        state=EXECUTING,
        scheduled_from=trigger,
        scheduled=now(),
        started=now(),
        completed=None,
        first_error_task=None,
        first_error_code=None,
        first_error_message=None,
    )


def begin(row: GraphRun) -> None:
    row.state, row.started = EXECUTING, now()


def merged(root: TaskDefinition, config: str | None) -> str | None:
    """The run's configuration: USING CONFIG over the task's CONFIG, field by field at every depth.

    https://docs.snowflake.com/en/sql-reference/sql/execute-task
    """
    if config is None:
        return root.config
    return json.dumps(_over(root.configuration(), parse_config(config)))


def _over(default: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    both = {**default, **given}
    for key in default.keys() & given.keys():
        if isinstance(default[key], dict) and isinstance(given[key], dict):
            both[key] = _over(default[key], given[key])
    return both


def not_retried(name: ObjectName, reason: str) -> SnowflakeError:
    return SnowflakeError(f"Cannot retry the graph with root task {name}: {reason}.", 91111, "0A000")
