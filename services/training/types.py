"""What is known of a spoke's task graphs and their runs; training and inference alike.

Functions (`services.training`):

- `graphs(spoke: str, environment: str, runs: int = 30) -> tuple[Graph, ...]`: by name, each with its newest
  runs.
- `graph(spoke, environment, graph: str, runs: int = 30) -> Graph`: NotFound 404 when it is not deployed.
- `name_of(spoke, environment, graph: str) -> str`: the graph that is meant: as it stands, else in upper case.
- `runs(spoke, environment, graph: str, limit: int = 30) -> tuple[GraphRun, ...]`: newest first, with task
  runs.
- `run(spoke, environment, graph: str, run_id: str, attempt: int | None = None) -> GraphRun`: the last
  attempt by default, with task runs and CONFIG; NotFound 404.
- `start_deploy(spoke, environment, actor: str) -> str`: submits `graphs.deploy`, returns the operation's
  id.
- `declared(spoke, environment, graph: str) -> DeclaredGraph`: what a graph of the manifest is for; NotFound 404.
- `start(spoke, environment, graph: str, actor: str) -> str`: submits the operation that runs the graph;
  Conflict 409 while not deployed, GraphBusy 409 while a run executes that no operation follows.
- `retry(spoke, environment, graph: str, run_id: str, actor: str) -> str`: EXECUTE TASK … RETRY GRAPH RUN
  GROUP as an operation; Conflict 409 unless the run failed and its graph is as it was.
- `again(spoke, environment, graph: str, run_id: str, actor: str) -> str`: a new run with the CONFIG of that
  one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

TaskKind = Literal["root", "task", "finalizer"]


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a graph. `state` is what SHOW TASKS says: started or suspended. `condition` is its WHEN."""

    name: str
    kind: TaskKind
    predecessors: tuple[str, ...] = ()
    condition: str | None = None
    is_branch: bool = False
    state: str = "started"
    schedule: str | None = None
    compute: str | None = None
    comment: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One execution of one task.

    Times are None for what did not happen. `return_value` is text as returned.
    """

    name: str
    state: str
    attempt: int = 1
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    return_value: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    query_id: str | None = None
    query_text: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a run, among the others."""

    attempt: int
    state: str
    scheduled_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    scheduled_from: str | None = None


@dataclass(frozen=True, slots=True)
class GraphRun:
    """One attempt at a run of a graph.

    GRAPH_RUN_GROUP_ID and ATTEMPT_NUMBER, Snowflake's word for its state, and its tasks. SCHEDULED is a run
    that was asked for and waits for the one before it. `attempts` are all of this run, the first one first;
    `root_id` tells apart graphs of one name: one that is deployed anew has another.
    """

    graph: str
    run_id: str
    attempt: int
    state: str
    scheduled_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    scheduled_from: str | None = None
    config: Mapping[str, Any] | None = None
    first_error_task: str | None = None
    first_error_code: str | None = None
    first_error_message: str | None = None
    tasks: tuple[TaskRun, ...] = ()
    root_id: str | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it ended without success, so that it can be tried again."""
        return self.state.startswith(("FAILED", "CANCELLED"))

    @property
    def is_last_attempt(self) -> bool:
        return not self.attempts or self.attempt == self.attempts[-1].attempt

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it has not ended."""
        if self.completed_at is None:
            return None
        return (self.completed_at - (self.started_at or self.scheduled_at)).total_seconds()


@dataclass(frozen=True, slots=True)
class Graph:
    """A deployed graph with its tasks in topological order and its newest runs, newest first.

    `declared` tells whether the manifest has it: only then it can be run from here. `trains` and `predicts` say
    what it is for. `config` is what its runs are configured with unless they are told otherwise.
    """

    name: str
    schema_name: str
    state: str
    tasks: tuple[Task, ...]
    schedule: str | None = None
    comment: str = ""
    next_run_at: datetime | None = None
    runs: tuple[GraphRun, ...] = ()
    root_id: str | None = None
    declared: bool = False
    trains: str | None = None
    predicts: str | None = None
    config: Mapping[str, Any] | None = None
