"""Task graphs: what is deployed, how it ran, and what deploys, runs and retries it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.core.clock import Clock, utc_now
from services.core.errors import Conflict, NotFound
from services.knowledge.types import NotYetKnown
from services.operations import Operations
from services.snowflake.answers import Answers
from services.snowflake.identifiers import named
from services.snowflake.pace import Pace
from services.snowflake.scope import Scope, Scopes
from services.training.declared import DeclaredGraph
from services.training.history import graph_of, is_live, read_config, runs_of
from services.training.repository import TaskGraphs, tasks_in_order
from services.training.seen import SeenRuns
from services.training.types import Graph, GraphRun

# A clock of the account's may be behind, but its history is asked for seven days at most.
_BEFORE = timedelta(minutes=1)


# In the CONFIG of each run that Spokehub starts, to know it again.
REQUEST_ID = "request_id"
_MOST_CONFIG = 10_000


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """ValueError for a configuration that cannot be sent with a run."""
    if REQUEST_ID in config:
        raise ValueError(f"{REQUEST_ID} is Spokehub's own field; leave it out")
    text = json.dumps(config, allow_nan=False)
    json.dumps(config, ensure_ascii=False).encode()
    if len(text) > _MOST_CONFIG or "\\u0000" in text:
        raise ValueError(f"a configuration has at most {_MOST_CONFIG} characters, and no NUL")
    return config


class GraphBusy(Conflict):
    """A run of the graph executes, and a further one would wait for it; ``detail`` has its address."""

    code, title = "graph_busy", "The graph is running"


class Training:
    """See types.py."""

    def __init__(
        self,
        source: Answers,
        scopes: Scopes,
        operations: Operations,
        pace: Pace,
        seen: SeenRuns,
        clock: Clock = utc_now,
    ) -> None:
        self.pace = pace
        self._seen = seen
        self._clock = clock
        self._graphs = TaskGraphs(source)
        self._scopes = scopes
        self._operations = operations

    def read(self, spoke: str, environment: str) -> None:
        """Ask the account what ``graphs`` asks of it, but for the runs: the tasks, and what is due."""
        scope = self._scopes(spoke, environment)
        if scope.onboarded:
            self._due(scope, _names(self._graphs.tasks(scope)))

    def graphs(
        self, spoke: str, environment: str, runs: int = 30, task_runs: int | None = None
    ) -> tuple[Graph, ...]:
        """The deployed graphs by name, each with its newest runs: with fewer, but one, when they have more tasks."""
        scope = self._scopes(spoke, environment)
        return self._read(scope, None, runs, task_runs) if scope.onboarded else ()

    def name_of(self, spoke: str, environment: str, graph: str) -> str:
        """The name in the account of the graph that is meant; as it was given when there is none."""
        scope = self._scopes(spoke, environment)
        rows = self._graphs.tasks(scope) if scope.onboarded else []
        return next(iter(named(graph, _names(rows), str)), graph)

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
        """One run that was seen, however long ago, its last attempt by default; NotFound 404."""
        scope = self._scopes(spoke, environment)
        runs = self._seen.run(scope, graph, run_id) if scope.onboarded else []
        return _one(runs, graph, run_id, attempt, "It was not seen yet, or long ago. Read the account anew.")

    def told(self, scope: Scope, graph: str, run_id: str) -> GraphRun:
        """The last attempt of a run as the account tells of it now; NotFound 404."""
        told = [
            row for row in self._graphs.graph_runs(scope, [graph]) if str(row["GRAPH_RUN_GROUP_ID"]) == run_id
        ]
        rows = [row for row in self._graphs.history(scope, graph) if str(row["GRAPH_RUN_GROUP_ID"]) == run_id]
        self._seen.record(rows, told)
        return _one(runs_of(rows, told), graph, run_id, None, "The account tells of runs for seven days.")

    def find(self, scope: Scope, graph: str, request_id: str) -> str | None:
        """The id of the run whose CONFIG has this request id, also while it waits; None when there is none.

        TASK_HISTORY is documented to tell the CONFIG of EXECUTE TASK, so it is asked first.
        """
        rows = self._graphs.requests(scope, graph)
        for run in runs_of(rows, []):
            if run.config and run.config.get("request_id") == request_id:
                self._seen.record([row for row in rows if str(row["GRAPH_RUN_GROUP_ID"]) == run.run_id], [])
                return run.run_id
        told = self._graphs.graph_runs(scope, [graph])
        for run in runs_of([], told):
            if run.config and run.config.get("request_id") == request_id:
                self._seen.record([], [row for row in told if str(row["GRAPH_RUN_GROUP_ID"]) == run.run_id])
                return run.run_id
        return None

    def observe(self, scope: Scope, run: GraphRun) -> GraphRun:
        """The last attempt of a run as it is now: one statement while a task of it executes.

        Only when none does, the graph functions are asked whether more is to come. Conflict 409 when the
        account no longer tells of the run: one that waits gives way to another EXECUTE TASK.
        """
        first = run.attempts[0].scheduled_at if run.attempts else run.scheduled_at
        asked = (scope, str(run.root_id), run.run_id, first - _BEFORE)
        rows = self._graphs.of_run(*asked)
        told = []
        if not is_live(rows):
            found = self._graphs.graph_runs(scope, [run.graph])
            told = [row for row in found if str(row["GRAPH_RUN_GROUP_ID"]) == run.run_id]
            # A task may have begun and ended between the two questions.
            rows = self._graphs.of_run(*asked)
        self._seen.record(rows, told)
        runs = runs_of(rows, told)
        if not runs:
            raise Conflict(
                f"Run {run.run_id} of {run.graph} is no longer there: it waited, and another one took its place",
                hint="Start it anew.",
                code="run_replaced",
            )
        return max(runs, key=lambda found: found.attempt)

    def busy(self, scope: Scope, graph: str) -> GraphRun | None:
        """A run of the graph that executes now, or None."""
        for run in runs_of([], self._graphs.current(scope, [graph])):
            if run.state == "EXECUTING":
                return run
        return None

    def require_free(self, scope: Scope, graph: str) -> None:
        """GraphBusy 409 while a run executes that no open operation follows: for those the queue waits."""
        busy = self.busy(scope, graph)
        if busy is None:
            return
        asked = {run.run_id: run.config or {} for run in runs_of(self._graphs.requests(scope, graph), [])}
        request = asked.get(busy.run_id, {}).get("request_id")
        if not any(view.id == request for view in self._operations.queries.open()):
            raise self.refused_as_busy(scope, busy)

    def refused_as_busy(self, scope: Scope, run: GraphRun) -> GraphBusy:
        """The refusal that names the run."""
        address = (
            f"/api/v1/spokes/{scope.spoke}/graphs/{run.graph}/runs/{run.run_id}"
            f"?environment={scope.environment}"
        )
        return GraphBusy(
            f"{run.graph} is running: run {run.run_id}",
            hint=f'Wait for its end ({address}), or ask with "wait": true.',
            detail={"run_id": run.run_id, "address": address},
        )

    def retries(self, scope: Scope, graph: str) -> int:
        """How often the account runs a failed run of this graph again by itself, as declared."""
        declared = scope.declared.graphs.get(graph)
        return declared.auto_retry_attempts if declared else 0

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
        """The run's last attempt, when it failed and the graph is as it was; NotFound 404, Conflict 409."""
        declared = self.require(spoke, environment, graph)
        run = self.told(self._scopes(spoke, environment), graph, run_id)
        if not run.failed:
            raise Conflict(
                f"Run {run_id} of {graph} cannot be retried: it is {run.state}",
                hint="A run can be retried once it has failed or was cancelled. Start a new run otherwise.",
                code="not_retryable",
            )
        if run.root_id != declared.root_id:
            raise self.changed(self._scopes(spoke, environment), run)
        return run

    def changed(self, scope: Scope, run: GraphRun, reason: str = "it was deployed anew since") -> Conflict:
        """The refusal to retry a run of a graph that is no longer what it was."""
        address = f"/api/v1/spokes/{scope.spoke}/graphs/{run.graph}/runs/{run.run_id}/again"
        return Conflict(
            f"Run {run.run_id} of {run.graph} cannot be retried: {reason}",
            hint=f"Start a new run with the same configuration: POST {address}.",
            code="graph_changed",
            detail={"run_id": run.run_id, "address": address, "config": dict(run.config or {})},
        )

    def start_deploy(self, spoke: str, environment: str, actor: str) -> str:
        """Submit ``graphs.deploy``; the operation's id."""
        return self._submit("graphs.deploy", spoke, environment, actor)

    def start(
        self, spoke: str, environment: str, graph: str, actor: str, config: Mapping[str, Any] | None = None
    ) -> str:
        """Submit the operation that runs a graph; Conflict 409 while it is not deployed or has nothing to do.

        ``config`` is merged over the graph's own for this run.
        """
        found = self.declared(spoke, environment, graph)
        return self._submit_run(found, spoke, environment, actor, config or {})

    def retry(self, spoke: str, environment: str, graph: str, run_id: str, actor: str) -> str:
        """Submit ``graph.retry``; Conflict 409 unless it failed and the graph is as it was."""
        return self._submit("graph.retry", spoke, environment, actor, graph=graph, run_id=run_id)

    def again(
        self,
        spoke: str,
        environment: str,
        graph: str,
        run_id: str,
        actor: str,
        config: Mapping[str, Any] | None = None,
    ) -> str:
        """Submit a new run of what that one ran: the same CONFIG, or an edited one, on the graph as it is now."""
        found = self.declared(spoke, environment, graph)
        if config is None:
            config = dict(self.run(spoke, environment, graph, run_id).config or {})
            config.pop(REQUEST_ID, None)
        return self._submit_run(found, spoke, environment, actor, config)

    def cancel(self, spoke: str, environment: str, graph: str, run_id: str, actor: str) -> str:
        """Submit ``graph.cancel``; NotFound 404, Conflict 409 for a run that is over."""
        return self._control("graph.cancel", spoke, environment, graph, actor, run_id=run_id)

    def suspend(self, spoke: str, environment: str, graph: str, actor: str) -> str:
        """Submit ``graph.suspend``; NotFound 404 for a graph that is not declared."""
        return self._control("graph.suspend", spoke, environment, graph, actor)

    def resume(self, spoke: str, environment: str, graph: str, actor: str) -> str:
        """Submit ``graph.resume``; NotFound 404 for a graph that is not declared."""
        return self._control("graph.resume", spoke, environment, graph, actor)

    def schedule(self, spoke: str, environment: str, graph: str, schedule: str | None, actor: str) -> str:
        """Submit ``graph.schedule``; Invalid 422 for a schedule that Snowflake does not know. None: on request."""
        return self._control("graph.schedule", spoke, environment, graph, actor, schedule=schedule)

    def retry_many(self, runs: Sequence[Mapping[str, str]], actor: str) -> str:
        """Submit ``graph.retry_many`` of runs, each with spoke, environment, graph and run_id."""
        params = {"runs": [dict(run) for run in runs]}
        return self._operations.submit("graph.retry_many", params, actor=actor).id

    def _control(
        self, kind: str, spoke: str, environment: str, graph: str, actor: str, **more: str | None
    ) -> str:
        name = self.declared(spoke, environment, graph).name
        return self._submit(kind, spoke, environment, actor, graph=name, **more)

    def _submit_run(
        self, found: DeclaredGraph, spoke: str, environment: str, actor: str, config: Mapping[str, Any]
    ) -> str:
        more: dict[str, Any] = {"config": dict(config)}
        if found.predicts and config.get("days"):
            # Days are looked at before: whether they can be forecast.
            more["days"] = more["config"].pop("days")
        return self._submit(found.kind, spoke, environment, actor, graph=found.name, **more)

    def declared(self, spoke: str, environment: str, graph: str) -> DeclaredGraph:
        """The graph of the manifest that is meant; NotFound 404 for one that it does not have."""
        graphs = self._scopes(spoke, environment).declared.graphs
        for name in named(graph, graphs, str):
            return DeclaredGraph(name, graphs[name].trains, graphs[name].predicts)
        raise NotFound(
            f"{spoke} declares no graph {graph!r}",
            hint=f"It declares {', '.join(graphs)}." if graphs else "Add it to spoke.yaml.",
            code="unknown_graph",
        )

    def _submit(self, kind: str, spoke: str, environment: str, actor: str, **more: Any) -> str:
        params = {"spoke": spoke, "environment": self._scopes(spoke, environment).environment, **more}
        return self._operations.submit(kind, params, actor=actor).id

    def _read(
        self, scope: Scope, graph: str | None, limit: int, task_runs: int | None = None
    ) -> tuple[Graph, ...]:
        rows = self._graphs.tasks(scope)
        every = _names(rows)
        names = every if graph is None else [name for name in every if name == graph]
        if not names:
            return ()
        due = self._due(scope, every)
        found = []
        for name in names:
            tasks = [row for row in rows if graph_of(row["name"]) == name]
            runs = limit if task_runs is None else min(limit, max(1, task_runs // len(tasks)))
            found.append(_graph(name, scope, tasks, tuple(self._seen.newest(scope, name, runs)), due))
        return tuple(found)

    def next_run(self, spoke: str, environment: str) -> datetime | None:
        """When the schedule starts a graph of the place next; None when it starts none. NotYetKnown 503."""
        scope = self._scopes(spoke, environment)
        names = _names(self._graphs.tasks(scope))
        return min(self._due(scope, names).values(), default=None) if names else None

    def _due(self, scope: Scope, names: list[str]) -> dict[str, datetime]:
        """When the schedule starts each graph next, as far as that is known and still to come."""
        try:
            rows = self._graphs.current(scope, names)
        except NotYetKnown:
            return {}
        now = self._clock()
        return {
            row["ROOT_TASK_NAME"]: row["SCHEDULED_TIME"]
            for row in rows
            if row["STATE"] == "SCHEDULED"
            and row["SCHEDULED_FROM"] == "SCHEDULE"
            and row["SCHEDULED_TIME"] > now
        }

    def _missing(self, scope: Scope, graph: str) -> NotFound:
        return NotFound(
            f"{graph} is not deployed in {scope.environment}",
            hint=f'Deploy it: POST /api/v1/spokes/{scope.spoke}/deployments with {{"part": "graphs"}}.',
            code="unknown_graph",
        )


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({graph_of(row["name"]) for row in rows})


def _one(runs: list[GraphRun], graph: str, run_id: str, attempt: int | None, hint: str) -> GraphRun:
    for run in runs:
        if run.run_id == run_id and attempt in (None, run.attempt):
            return run
    raise NotFound(
        f"{graph} has no run {run_id}" + (f" with an attempt {attempt}" if attempt else ""),
        hint=hint,
        code="unknown_run",
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
    declared = scope.declared.graphs.get(name)
    described = declared.description if declared else ""
    root_id = next((str(row["id"]) for row in tasks_rows if row["name"] == root.name), None)
    return Graph(
        name, scope.schema.name, root.state, tasks, root.schedule, described, due.get(name), runs, root_id,
        declared is not None,
        declared.trains if declared else None,
        declared.predicts if declared else None,
        read_config(next((row.get("config") for row in tasks_rows if row["name"] == root.name), None)),
    )  # fmt: skip
