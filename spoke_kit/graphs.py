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
from spoke_kit.errors import ConfigError, GraphBusy
from spoke_kit.manifest import Graph, Manifest, Task
from spoke_kit.names import Names, argument, literal, pattern, quote

CREATE, KEEP, REPLACE = "create", "keep", "replace"


@dataclass(frozen=True)
class Deployment:
    """Where and what to deploy."""

    session: Any
    manifest: Manifest
    names: Names
    bundle: Bundle

    @property
    def stage_path(self) -> str:
        return f"@{self.names.own(STAGE)}/{self.bundle.name}"

    def procedure_sql(self, name: str, handler: str, arguments: str, comment: str) -> str:
        """CREATE PROCEDURE for a handler ``module.function`` of the spoke.

        Caller's rights: the role that owns the task is the spoke's own, and may do no more than it.
        """
        compute = self.manifest.compute
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

    def graph(self, name: str) -> Graph:
        return self.manifest.graphs[name]

    def digest(self, graph: str) -> str:
        manifest = self.manifest
        parts = (graph, manifest.graphs[graph].model_dump_json(), manifest.compute.model_dump_json())
        content = repr((spoke_kit.__version__, self.bundle.digest, *parts, self.names))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def comment(self, graph: str) -> str:
        return json.dumps({"spokehub": self.digest(graph), "bundle": self.bundle.name}, sort_keys=True)


class NamedGraph(DAG):
    """A graph under any name; ``plain`` is the name without quotes."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(argument(name), **options)
        self.plain = name


class GraphTask(DAGTask):
    """A task under any name: the client joins the graph's and the task's as they are, quotes and all."""

    @property
    def full_name(self) -> str:
        return argument(full_name(self.dag.plain, self.name))


class GraphBranch(GraphTask, DAGTaskBranch):
    """A branch under any name."""


def full_name(graph: str, task: str) -> str:
    """The name in the account of a graph's task, and of its procedure."""
    return f"{graph}${task}"


def all_tasks(graph: Graph) -> dict[str, Task]:
    return {**graph.tasks, **graph.finalizer}


def build(deployment: Deployment, name: str) -> DAG:
    """The client's graph object. ConfigError for a schedule that is not cron and a time zone."""
    names, comment, graph = deployment.names, deployment.comment(name), deployment.graph(name)
    dag = NamedGraph(
        name,
        schedule=_schedule(name, graph),
        warehouse=argument(deployment.manifest.compute.warehouse),
        comment=comment,
        task_auto_retry_attempts=graph.auto_retry_attempts or None,
        user_task_timeout_ms=graph.timeout_minutes * 60_000,
        config={
            "spoke": deployment.manifest.spoke,
            "environment": names.environment,
            "layout": names.layout.text,
            "graph": name,
            "bundle": deployment.bundle.name,
        },
    )
    with dag:
        made = {}
        for each, task in all_tasks(graph).items():
            kind = GraphBranch if task.branch else GraphTask
            made[each] = kind(
                each,
                f"CALL {names.own(full_name(name, each))}()",
                warehouse=argument(task.warehouse) if task.warehouse else None,
                comment=comment,
                is_finalizer=each in graph.finalizer,
            )
        for each, task in graph.tasks.items():
            for before in task.after:
                made[before] >> made[each]
    return dag


def _schedule(name: str, graph: Graph) -> Cron | None:
    if graph.schedule is None:
        return None
    expression, _, zone = graph.schedule.rpartition(" ")
    if len(expression.split()) != 5:
        raise ConfigError(
            f"graphs.{name}.schedule: {graph.schedule!r} is not a cron expression with a time zone",
            "Write it like '30 5 * * * Europe/Berlin'.",
        )
    return Cron(expression, zone)


def action(deployment: Deployment, name: str) -> str:
    """What deploying would do: create, keep or replace. ConfigError for what a graph cannot have."""
    names, graph = deployment.names, deployment.graph(name)
    _refuse_pools(name, graph)
    rows = deployment.session.sql(
        f"SHOW TASKS LIKE {pattern(name)} IN SCHEMA {quote(names.database)}.{quote(names.schema)}"
    ).collect()
    wanted = {name, *(full_name(name, task) for task in all_tasks(graph))}
    found = {row["name"]: row for row in rows if row["name"] in wanted}
    if name not in found:
        return CREATE
    same = wanted == set(found) and all(row["comment"] == deployment.comment(name) for row in found.values())
    children = [row for each, row in found.items() if each != name]
    ready = all(row["state"] == "started" for row in children)
    if graph.schedule is not None:
        ready = ready and found[name]["state"] == "started"
    return KEEP if same and ready else REPLACE


def deploy(deployment: Deployment, name: str) -> str:
    """Create or replace the procedures and tasks of a graph. GraphBusy while a run of it is under way."""
    change = action(deployment, name)
    if change == KEEP:
        return change
    names = deployment.names
    schema = Root(deployment.session).databases[argument(names.database)].schemas[argument(names.schema)]
    operation = DAGOperation(schema)
    if change == REPLACE and any(
        run.state == "EXECUTING" for run in operation.get_current_dag_runs(argument(name))
    ):
        raise GraphBusy(f"{name} is running", "Deploy again when the run has ended.")
    for each, task in all_tasks(deployment.graph(name)).items():
        deployment.session.sql(
            deployment.procedure_sql(full_name(name, each), task.handler, "", deployment.comment(name))
        ).collect()
    operation.deploy(build(deployment, name), mode=CreateMode.or_replace)
    return change


def _refuse_pools(name: str, graph: Graph) -> None:
    for each, task in all_tasks(graph).items():
        if task.compute_pool:
            raise ConfigError(
                f"graphs.{name}.tasks.{each}.compute_pool: tasks on a compute pool are not deployed yet",
                "Leave it out: the task runs on a warehouse.",
            )
