"""Task graphs: what is deployed, how it ran, and what deploys, runs and retries it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.core.errors import Conflict, NotFound
from services.snowflake.recent import Answers
from services.snowflake.scope import INFERENCE_GRAPH, TRAINING_GRAPH, Scope, Scopes
from services.training.repository import TaskGraphs, graph_of, runs_of, tasks_in_order
from services.training.types import Graph, GraphRun


class Training:
    """See types.py."""

    def __init__(self, source: Answers, scopes: Scopes, around: Any) -> None:
        self._graphs = TaskGraphs(source)
        self._scopes = scopes
        self._around = around

    def graphs(self, spoke: str, environment: str, runs: int = 30) -> tuple[Graph, ...]:
        """The deployed graphs by name, each with its newest runs."""
        scope = self._scopes(spoke, environment)
        return self._read(scope, None, runs) if scope.onboarded else ()

    def graph(self, spoke: str, environment: str, graph: str, runs: int = 30) -> Graph:
        """One graph; NotFound 404 when it is not deployed."""
        scope = self._scopes(spoke, environment)
        found = self._read(scope, graph, runs) if scope.onboarded else ()
        if not found:
            raise self._missing(scope, graph)
        return found[0]

    def runs(self, spoke: str, environment: str, graph: str, limit: int = 30) -> tuple[GraphRun, ...]:
        """Newest first, with their tasks; NotFound 404 when the graph is not deployed."""
        return self.graph(spoke, environment, graph, limit).runs

    def run(
        self, spoke: str, environment: str, graph: str, run_id: str, attempt: int | None = None
    ) -> GraphRun:
        """One run, its last attempt by default; NotFound 404."""
        scope = self._scopes(spoke, environment)
        for run in self._runs(scope, graph) if scope.onboarded else ():
            if run.run_id == run_id and attempt in (None, run.attempt):
                return run
        raise NotFound(
            f"{graph} has no run {run_id}" + (f" with an attempt {attempt}" if attempt else ""),
            hint="The account tells of runs for seven days.",
            code="unknown_run",
        )

    def find(self, scope: Scope, graph: str, request_id: str) -> GraphRun | None:
        """The last attempt of the run whose CONFIG has this request id; None when there is none."""
        for run in self._runs(scope, graph):
            if run.config and run.config.get("request_id") == request_id:
                return run
        return None

    def deployed(self, scope: Scope, graph: str) -> Graph | None:
        """The graph without its runs, or None; also when the spoke is not onboarded."""
        rows = self._graphs.tasks(scope, graph) if scope.onboarded else []
        return _graph(graph, scope, tasks_rows=rows, runs=(), due={}) if rows else None

    def require(self, spoke: str, environment: str, graph: str) -> Graph:
        """The graph; Conflict 409 while it is not deployed."""
        scope = self._scopes(spoke, environment).require()
        found = self.deployed(scope, graph)
        if found is None:
            raise Conflict(
                f"{graph} is not deployed in {scope.environment}",
                hint=f'Deploy it first: POST /api/v1/spokes/{spoke}/deployments with {{"part": "graphs"}}.',
                code="graph_not_deployed",
            )
        return found

    def require_retryable(self, spoke: str, environment: str, graph: str, run_id: str) -> GraphRun:
        """The run, when it is the graph's last and failed; NotFound 404, Conflict 409."""
        self.require(spoke, environment, graph)
        run = self.run(spoke, environment, graph, run_id)
        last = self.runs(spoke, environment, graph, 1)[0]
        if last.run_id != run_id or not run.state.startswith(("FAILED", "CANCELLED")):
            raise Conflict(
                f"Run {run_id} of {graph} cannot be retried: it is {run.state} and the last is {last.run_id}",
                hint="Only the last run can be retried, once it has failed. Start a new run otherwise.",
                code="not_retryable",
            )
        return run

    def start_deploy(self, spoke: str, environment: str, actor: str) -> str:
        """Submit ``graphs.deploy``; the operation's id."""
        return self._submit("graphs.deploy", spoke, environment, actor)

    def start(self, spoke: str, environment: str, actor: str) -> str:
        """Submit ``training.run``; Conflict 409 while the graph is not deployed."""
        return self._submit("training.run", spoke, environment, actor)

    def retry(self, spoke: str, environment: str, graph: str, run_id: str, actor: str) -> str:
        """Submit ``graph.retry``; Conflict 409 unless it is the last run and it failed."""
        return self._submit("graph.retry", spoke, environment, actor, graph=graph, run_id=run_id)

    def kind_of(self, graph: str) -> str:
        """The kind of operation that runs a graph; NotFound 404 for a graph that nothing runs."""
        kinds = {TRAINING_GRAPH: "training.run", INFERENCE_GRAPH: "inference.run"}
        if graph not in kinds:
            raise NotFound(
                f"There is no graph {graph!r}", hint=f"Known: {', '.join(kinds)}.", code="unknown_graph"
            )
        return kinds[graph]

    def _submit(self, kind: str, spoke: str, environment: str, actor: str, **more: str) -> str:
        params = {"spoke": spoke, "environment": self._scopes(spoke, environment).environment, **more}
        return str(self._around.operations.submit(kind, params, actor=actor).id)

    def _runs(self, scope: Scope, graph: str | None) -> list[GraphRun]:
        return runs_of(
            self._graphs.history(scope, graph),
            [row for row in self._graphs.graph_runs(scope) if graph in (None, row["ROOT_TASK_NAME"])],
        )

    def _read(self, scope: Scope, graph: str | None, limit: int) -> tuple[Graph, ...]:
        rows = self._graphs.tasks(scope, graph)
        if not rows:
            return ()
        told = [row for row in self._graphs.graph_runs(scope) if graph in (None, row["ROOT_TASK_NAME"])]
        runs = runs_of(self._graphs.history(scope, graph), told)
        due = {row["ROOT_TASK_NAME"]: row["SCHEDULED_TIME"] for row in told if row["STATE"] == "SCHEDULED"}
        names = sorted({graph_of(row["name"]) for row in rows})
        return tuple(
            _graph(
                name,
                scope,
                [row for row in rows if graph_of(row["name"]) == name],
                tuple(run for run in runs if run.graph == name)[:limit],
                due,
            )
            for name in names
        )

    def _missing(self, scope: Scope, graph: str) -> NotFound:
        return NotFound(
            f"{graph} is not deployed in {scope.environment}",
            hint=f'Deploy it: POST /api/v1/spokes/{scope.spoke}/deployments with {{"part": "graphs"}}.',
            code="unknown_graph",
        )


def _graph(
    name: str,
    scope: Scope,
    tasks_rows: list[dict[str, Any]],
    runs: tuple[GraphRun, ...],
    due: Mapping[str, datetime],
) -> Graph:
    tasks = tasks_in_order(tasks_rows)
    root = next((task for task in tasks if task.kind == "root"), tasks[0])
    described = scope.config.get("graphs", {}).get(name, {}).get("description", "")
    return Graph(name, scope.schema.name, root.state, tasks, root.schedule, described, due.get(name), runs)
