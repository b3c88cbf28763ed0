"""Fills an MLflow store by its own tables; runs in MLflow's environment.

    python fill_mlflow.py RUNS STORE ARTIFACTS

``RUNS`` has a run in JSON a line. Each becomes a run with a metric (seconds), a parameter (CONFIG), and tags: the four
that MLflow's client sets itself, environment, graph, trigger, and the error when there is one. Prints the experiments'
ids by name as JSON.
"""

import json
import sys
import uuid

from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

STATES = {
    "SUCCEEDED": "FINISHED",
    "EXECUTING": "RUNNING",
    "SCHEDULED": "SCHEDULED",
    "CANCELLED": "KILLED",
    "SKIPPED": "KILLED",
}
AT_ONCE = 10_000


def main(file: str, uri: str, artifacts: str) -> None:
    with open(file) as lines:
        runs = [json.loads(line) for line in lines]
    store = SqlAlchemyStore(uri, artifacts)
    spokes = sorted({run["spoke"] for run in runs})
    experiments = {spoke: int(store.create_experiment(spoke)) for spoke in spokes}
    for begin in range(0, len(runs), AT_ONCE):
        add(store, artifacts, experiments, runs[begin : begin + AT_ONCE])
    print(json.dumps(experiments))


def add(store: SqlAlchemyStore, artifacts: str, experiments: dict, runs: list) -> None:
    rows = {table: [] for table in (SqlRun, SqlMetric, SqlLatestMetric, SqlParam, SqlTag)}
    for run in runs:
        uid = uuid.uuid4().hex
        name = f"{run['graph']}-{run['run_id']}-{run['attempt']}"
        experiment = experiments[run["spoke"]]
        rows[SqlRun].append(
            {
                "run_uuid": uid,
                "name": name,
                "source_type": "UNKNOWN",
                "source_name": "",
                "entry_point_name": "",
                "user_id": "bench",
                "status": STATES.get(run["state"], "FAILED"),
                "start_time": run["scheduled"],
                "end_time": run["completed"],
                "source_version": "",
                "lifecycle_stage": "active",
                "artifact_uri": f"{artifacts}/{experiment}/{uid}/artifacts",
                "experiment_id": experiment,
            }
        )
        metric = {
            "key": "seconds",
            "value": run["seconds"] or 0.0,
            "timestamp": run["completed"] or run["scheduled"],
            "step": 0,
            "is_nan": False,
            "run_uuid": uid,
        }
        rows[SqlMetric].append(metric)
        rows[SqlLatestMetric].append(metric)
        rows[SqlParam].append({"key": "config", "value": run["config"] or "{}", "run_uuid": uid})
        tags = {
            "mlflow.user": "bench",
            "mlflow.source.name": f"{run['graph']}.py",
            "mlflow.source.type": "LOCAL",
            "mlflow.runName": name,
            "environment": run["environment"],
            "graph": run["graph"],
            "trigger": run["trigger"],
            "error": run["error"],
        }
        rows[SqlTag] += [
            {"key": key, "value": value, "run_uuid": uid} for key, value in tags.items() if value is not None
        ]
    with store.engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(table.__table__.insert(), values)


if __name__ == "__main__":
    main(*sys.argv[1:])
