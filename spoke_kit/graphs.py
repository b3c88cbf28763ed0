"""Builds task graphs from the configuration and deploys them with Snowflake's own DAG client.

Each task calls a stored procedure of the staged bundle. The comment of every task carries a digest of what
was deployed, so that an unchanged graph is left alone and one that a crash left half made is made again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from snowflake.core import Root
from snowflake.core._common import CreateMode
from snowflake.core.task import Cron
from snowflake.core.task.dagv1 import DAG, DAGOperation, DAGTask, DAGTaskBranch

import spoke_kit
from spoke_kit.bundle import STAGE, Bundle
from spoke_kit.config import GraphConfig, SpokeConfig, TaskConfig
from spoke_kit.errors import ConfigError, GraphBusy
from spoke_kit.names import Names, argument, literal, quote

CREATE, KEEP, REPLACE = "create", "keep", "replace"


@dataclass(frozen=True)
class Deployment:
    """Where and what to deploy."""

    session: Any
    config: SpokeConfig
    names: Names
    bundle: Bundle

    @property
    def stage_path(self) -> str:
        return f"@{self.names.own(STAGE)}/{self.bundle.name}"

    def procedure_sql(self, name: str, handler: str, arguments: str, comment: str) -> str:
        """CREATE PROCEDURE for a handler ``module.function`` of the spoke.

        Caller's rights: the role that owns the task is the spoke's own, and may do no more than it.
        """
        compute = self.config.compute
        packages = ", ".join(map(literal, compute.packages))
        repository = (
            f"ARTIFACT_REPOSITORY = {compute.artifact_repository}\n" if compute.artifact_repository else ""
        )
        return (
            f"CREATE OR REPLACE PROCEDURE {self.names.own(name)}({arguments})\n"
            "RETURNS VARCHAR\nLANGUAGE PYTHON\n"
            f"RUNTIME_VERSION = {literal(compute.runtime)}\n"
            f"{repository}PACKAGES = ({packages})\n"
            f"IMPORTS = ({literal(self.stage_path)})\n"
            f"HANDLER = {literal(f'{self.bundle.spoke}.{handler}')}\n"
            f"COMMENT = {literal(comment)}\n"
            "EXECUTE AS CALLER"
        )

    def digest(self, graph: GraphConfig) -> str:
        content = repr((spoke_kit.__version__, self.bundle.digest, graph, self.config.compute, self.names))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def comment(self, graph: GraphConfig) -> str:
        return json.dumps({"spokehub": self.digest(graph), "bundle": self.bundle.name}, sort_keys=True)


def all_tasks(graph: GraphConfig) -> list[TaskConfig]:
    return [*graph.tasks, *([graph.finalizer] if graph.finalizer else [])]


def build(deployment: Deployment, graph: GraphConfig) -> DAG:
    """The client's graph object. ConfigError for a schedule that is not cron and a time zone."""
    names, comment = deployment.names, deployment.comment(graph)
    dag = DAG(
        graph.name,
        schedule=_schedule(graph),
        warehouse=deployment.config.compute.warehouse,
        comment=comment,
        task_auto_retry_attempts=graph.auto_retry_attempts or None,
        user_task_timeout_ms=graph.timeout_minutes * 60_000,
        config={
            "spoke": deployment.config.name,
            "environment": names.environment,
            "layout": names.layout.text,
            "graph": graph.name,
            "bundle": deployment.bundle.name,
        },
    )
    with dag:
        made = {}
        for task in graph.tasks:
            kind = DAGTaskBranch if task.branch else DAGTask
            made[task.name] = kind(task.name, _call(names, graph, task), comment=comment)
        for task in graph.tasks:
            for before in task.after:
                made[before] >> made[task.name]
        if graph.finalizer:
            DAGTask(
                graph.finalizer.name, _call(names, graph, graph.finalizer), comment=comment, is_finalizer=True
            )
    return dag


def _call(names: Names, graph: GraphConfig, task: TaskConfig) -> str:
    return f"CALL {names.own(f'{graph.name}${task.name}')}()"


def _schedule(graph: GraphConfig) -> Cron | None:
    if graph.schedule is None:
        return None
    expression, _, zone = graph.schedule.rpartition(" ")
    if len(expression.split()) != 5:
        raise ConfigError(
            f"graphs.{graph.name}.schedule: {graph.schedule!r} is not a cron expression with a time zone",
            "Write it like '30 5 * * * Europe/Berlin'.",
        )
    return Cron(expression, zone)


def action(deployment: Deployment, graph: GraphConfig) -> str:
    """What deploying would do: create, keep or replace."""
    names = deployment.names
    rows = deployment.session.sql(
        f"SHOW TASKS LIKE {literal(graph.name + '%')} IN SCHEMA {quote(names.database)}.{quote(names.schema)}"
    ).collect()
    wanted = {graph.name, *(f"{graph.name}${task.name}" for task in all_tasks(graph))}
    found = {row["name"]: row for row in rows if row["name"] in wanted}
    if graph.name not in found:
        return CREATE
    same = wanted == set(found) and all(row["comment"] == deployment.comment(graph) for row in found.values())
    children = [row for name, row in found.items() if name != graph.name]
    ready = all(row["state"] == "started" for row in children)
    if graph.schedule is not None:
        ready = ready and found[graph.name]["state"] == "started"
    return KEEP if same and ready else REPLACE


def deploy(deployment: Deployment, graph: GraphConfig) -> str:
    """Create or replace the procedures and tasks of a graph. GraphBusy while a run of it is under way."""
    change = action(deployment, graph)
    if change == KEEP:
        return change
    names = deployment.names
    schema = Root(deployment.session).databases[argument(names.database)].schemas[argument(names.schema)]
    operation = DAGOperation(schema)
    if change == REPLACE and any(
        run.state == "EXECUTING" for run in operation.get_current_dag_runs(graph.name)
    ):
        raise GraphBusy(f"{graph.name} is running", "Deploy again when the run has ended.")
    for task in all_tasks(graph):
        deployment.session.sql(
            deployment.procedure_sql(f"{graph.name}${task.name}", task.handler, "", deployment.comment(graph))
        ).collect()
    operation.deploy(build(deployment, graph), mode=CreateMode.or_replace)
    return change
