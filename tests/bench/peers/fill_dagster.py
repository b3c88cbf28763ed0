"""Fills Dagster's run storage by its own tables; runs in Dagster's environment, with DAGSTER_HOME.

    python fill_dagster.py RUNS

``RUNS`` has a run in JSON a line. Each becomes a run of the spoke's job with a configuration (CONFIG) and tags:
environment, graph, trigger, and the error when there is one.
"""

import json
import sys
import uuid
from datetime import UTC, datetime

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._serdes import serialize_value

STATES = {
    "SUCCEEDED": DagsterRunStatus.SUCCESS,
    "EXECUTING": DagsterRunStatus.STARTED,
    "SCHEDULED": DagsterRunStatus.QUEUED,
    "CANCELLED": DagsterRunStatus.CANCELED,
    "SKIPPED": DagsterRunStatus.CANCELED,
}
AT_ONCE = 10_000


def main(file: str) -> None:
    with open(file) as lines:
        runs = [json.loads(line) for line in lines]
    with DagsterInstance.get() as instance:
        for begin in range(0, len(runs), AT_ONCE):
            add(instance, runs[begin : begin + AT_ONCE])


def add(instance: DagsterInstance, runs: list) -> None:
    records, tags = [], []
    for run in runs:
        told = {key: run[key] for key in ("environment", "graph", "trigger", "error") if run[key] is not None}
        made = DagsterRun(
            job_name=run["spoke"],
            run_id=str(uuid.uuid4()),
            run_config=json.loads(run["config"] or "{}"),
            status=STATES.get(run["state"], DagsterRunStatus.FAILURE),
            tags=told,
        )
        records.append(
            {
                "run_id": made.run_id,
                "pipeline_name": made.job_name,
                "status": made.status.value,
                "run_body": serialize_value(made),
                "create_timestamp": moment(run["scheduled"]),
                "update_timestamp": moment(run["completed"] or run["scheduled"]),
                "start_time": seconds(run["started"]),
                "end_time": seconds(run["completed"]),
            }
        )
        tags += [{"run_id": made.run_id, "key": key, "value": value} for key, value in told.items()]
    with instance.run_storage.connect() as connection:
        connection.execute(RunsTable.insert(), records)
        connection.execute(RunTagsTable.insert(), tags)


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


def seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


if __name__ == "__main__":
    main(sys.argv[1])
