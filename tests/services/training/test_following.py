"""Runs as the service starts, follows, retries and cancels them, on an account that keeps Snowflake's rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.core.errors import Conflict, NotFound
from services.snowflake.scope import Scope
from services.training.following import Follower, RunFailed
from services.training.service import GraphBusy
from services.training.types import Attempt, Graph, GraphRun
from tests.manifests import small
from tests.services.training.conftest import GRAPH, HUB, PACE, World

LONG = "CALL SYSTEM$WAIT(60)"
DONE = {"root": "SUCCEEDED", "A": "SUCCEEDED"}


def test_a_run_is_started_and_followed_to_its_end(world: World) -> None:
    world.deploy(
        "CALL SYSTEM$SET_RETURN_VALUE('{\"rows\": 3}')", finalizer="SELECT 1", options="CONFIG = '{\"a\": 1}'"
    )
    operation = world.operations.wait(world.submit())
    (run,) = world.training.runs(world.name, "DEV", GRAPH)
    assert run.config == {"a": 1, "request_id": operation.id}
    assert operation.result == {
        "graph": GRAPH,
        "run_id": run.run_id,
        "attempt": 1,
        "state": "SUCCEEDED",
        "tasks": {GRAPH: "SUCCEEDED", "A": "SUCCEEDED", "END": "SUCCEEDED"},
        "returned": {"A": {"rows": 3}},
    }


def test_one_statement_a_look_while_a_task_executes(world: World) -> None:
    world.deploy(LONG, "SELECT 1")
    world.execute()
    world.until(
        lambda: world.runs() == [(1, "EXECUTING", {"root": "SUCCEEDED", "A": "EXECUTING", "B": "SUCCEEDED"})]
    )
    (run,) = world.told()
    world.asked.clear()
    for _ in range(3):
        assert world.training.observe(world.here, run).state == "EXECUTING"
    assert len(world.asked) == 3
    assert all("TASK_HISTORY(SCHEDULED_TIME_RANGE_START" in text for text in world.asked)
    world.run(f"SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('{GRAPH}$A')")
    world.until(lambda: world.training.observe(world.here, run).state == "CANCELLED")
    world.asked.clear()
    assert world.training.observe(world.here, run).state == "CANCELLED"
    assert len(world.asked) == 4


def test_runs_of_another_schema_are_not_this_graphs(world: World, source: Any) -> None:
    other = World(source, f"{world.name}_OTHER", world.history)
    source.query(f"CREATE SCHEMA {other.here.schema}")
    for one in (world, other):
        one.deploy("SELECT 1")
        one.execute(one.name)
        one.until(lambda one=one: one.runs() == [(1, "SUCCEEDED", DONE)])
    assert world.training.find(world.here, GRAPH, world.name)
    assert world.training.find(world.here, GRAPH, other.name) is None
    source.query(f"DROP SCHEMA {other.here.schema}")


def test_while_a_run_executes_a_further_one_is_refused_or_waits(world: World) -> None:
    world.deploy("CALL SYSTEM$WAIT(8)")
    world.execute("somebody")
    world.until(world.runs)
    with pytest.raises(GraphBusy) as refused:
        world.submit()
    run_id = world.training.find(world.here, GRAPH, "somebody")
    assert (refused.value.status, refused.value.code) == (409, "graph_busy")
    assert refused.value.detail == {
        "run_id": run_id,
        "address": f"/api/v1/spokes/{world.name}/graphs/{GRAPH}/runs/{run_id}?environment=DEV",
    }
    assert world.operations.list().items == ()
    operation = world.submit(wait=True)
    # What an operation follows is no reason to refuse: the queue waits for it.
    assert world.submit(wait=True) == operation
    assert world.operations.wait(operation).state == "succeeded"
    first, second = reversed(world.told())
    assert (first.config, second.config) == ({"request_id": "somebody"}, {"request_id": operation})
    assert first.completed_at is not None
    assert first.completed_at <= second.scheduled_at
    lines = [line.message for line in world.operations.log(operation).items]
    assert lines.count(f"Waiting for run {run_id} of {GRAPH}") >= 1


def test_a_run_that_waits_is_found_followed_and_may_be_replaced(world: World) -> None:
    world.deploy(LONG)
    world.execute()
    world.until(lambda: any("A" in tasks for _, _, tasks in world.runs()))
    world.execute("mine")
    run_id = world.training.find(world.here, GRAPH, "mine")
    assert run_id is not None
    run = world.training.told(world.here, GRAPH, run_id)
    assert (run.state, run.config, run.tasks) == ("SCHEDULED", {"request_id": "mine"}, ())
    assert world.training.observe(world.here, run).state == "SCHEDULED"
    assert world.seen() == [(1, "SCHEDULED", {})]
    world.execute("another")
    assert world.training.find(world.here, GRAPH, "mine") is None
    with pytest.raises(Conflict, match="another one took its place"):
        world.training.observe(world.here, run)
    for _ in range(2):
        executing = world.until(lambda: world.training.busy(world.here, GRAPH))
        world.until(
            lambda run=executing: world.training.observe(world.here, run).tasks[-1].state == "EXECUTING"
        )
        world.run(f"SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('{GRAPH}$A')")
        world.until(lambda run=executing: world.training.observe(world.here, run).state == "CANCELLED")


def test_cancelling_an_operation_ends_every_task_of_its_run(world: World) -> None:
    world.deploy(LONG, LONG, finalizer=LONG)
    operation = world.submit()
    # It is followed, and what is seen of it is written while it goes on.
    world.until(lambda: [tasks.get("B") for _, _, tasks in world.seen()] == ["EXECUTING"])
    world.operations.cancel(operation, "bob")
    assert world.operations.wait(operation).state == "cancelled"
    ended = {"root": "SUCCEEDED", "A": "CANCELLED", "B": "CANCELLED", "END": "CANCELLED"}
    assert world.runs() == world.seen() == [(1, "CANCELLED", ended)]
    assert world.training.busy(world.here, GRAPH) is None


def test_exactly_this_run_is_retried(world: World) -> None:
    world.deploy("INSERT INTO LATER VALUES (1)")
    ids = []
    for _ in range(2):
        failed = world.operations.wait(world.submit())
        assert failed.error is not None
        assert (failed.state, failed.error.code) == ("failed", "run_failed")
        ids.append(failed.error.detail["run_id"])
    world.run("CREATE TABLE LATER (A INT)")
    operation = world.operations.wait(world.training.retry(world.name, "DEV", GRAPH, ids[0], "ada"))
    assert (operation.state, operation.result["run_id"], operation.result["attempt"]) == (
        "succeeded",
        ids[0],
        2,
    )
    first = world.training.told(world.here, GRAPH, ids[0])
    assert [(one.attempt, one.state) for one in first.attempts] == [(1, "FAILED"), (2, "SUCCEEDED")]
    assert world.training.told(world.here, GRAPH, ids[1]).state == "FAILED"
    # What was seen of it is what the account tells, also to who looks for it later.
    assert world.training.run(world.name, "DEV", GRAPH, ids[0]) == first
    assert world.training.run(world.name, "DEV", GRAPH, ids[0], 1).state == "FAILED"
    with pytest.raises(NotFound):
        world.training.run(world.name, "DEV", GRAPH, "none")
    with pytest.raises(Conflict, match="it is SUCCEEDED"):
        world.training.retry(world.name, "DEV", GRAPH, ids[0], "ada")
    assert "RETRY GRAPH RUN GROUP" in " ".join(row.text for row in world.operations.sql(operation.id).items)


def test_after_a_deployment_old_runs_are_shown_and_run_again(world: World) -> None:
    world.deploy("INSERT INTO LATER VALUES (1)")
    failed = world.operations.wait(world.submit())
    run_id = failed.error.detail["run_id"] if failed.error else ""
    world.run("CREATE TABLE LATER (A INT)")
    world.deploy("INSERT INTO LATER VALUES (2)")
    before = [(1, "FAILED", {"root": "SUCCEEDED", "A": "FAILED"})]
    assert world.runs() == before
    with pytest.raises(Conflict) as refused:
        world.training.retry(world.name, "DEV", GRAPH, run_id, "ada")
    address = f"/api/v1/spokes/{world.name}/graphs/{GRAPH}/runs/{run_id}/again"
    assert (refused.value.code, refused.value.detail) == (
        "graph_changed",
        {"run_id": run_id, "address": address, "config": {"request_id": failed.id}},
    )
    assert address in str(refused.value.hint)
    # Resuming what followed the old run says the same, in the account's words.
    world.operations.resume(failed.id, "ada")
    resumed = world.operations.wait(failed.id)
    assert resumed.error is not None
    assert resumed.error.code == "graph_changed"
    again = world.operations.wait(world.training.again(world.name, "DEV", GRAPH, run_id, "ada"))
    assert again.state == "succeeded"
    assert world.runs() == [*before, (1, "SUCCEEDED", DONE)]


def test_a_run_of_another_graph_does_not_disturb(world: World) -> None:
    """Names are compared letter for letter, though ROOT_TASK_NAME is not."""
    world.deploy("SELECT 1")
    world.run(f'CREATE TASK "{GRAPH}_2" AS SELECT 1')
    world.run(f'EXECUTE TASK "{GRAPH}_2"')
    assert world.runs() == []
    assert world.training.busy(world.here, GRAPH) is None


START = datetime(2026, 1, 1, 6, tzinfo=UTC)
FIRST = GraphRun(GRAPH, "7", 1, "FAILED", START, scheduled_from="EXECUTE TASK", completed_at=START)
SECOND = replace(FIRST, attempt=2, state="EXECUTING", scheduled_from="AUTOMATIC RETRY", completed_at=None)
OVER = replace(SECOND, state="SUCCEEDED", completed_at=START)
SCOPE = Scope(HUB, "s", "DEV", small("s"))


class Told:
    """A training service that tells one thing after the other."""

    def __init__(self, retries: int, *runs: GraphRun) -> None:
        self.pace, self._retries, self._runs = PACE, retries, list(runs)

    def require(self, *_: Any) -> Graph:
        return Graph(GRAPH, "S", "started", ())

    def told(self, *_: Any) -> GraphRun:
        return self._runs.pop(0)

    def observe(self, *_: Any) -> GraphRun:
        return self._runs.pop(0) if len(self._runs) > 1 else self._runs[0]

    def retries(self, *_: Any) -> int:
        return self._retries


class Listening:
    """The context of a step: its attempt, and the operation's run."""

    def __init__(self, attempt: int = 1, run: int = 1) -> None:
        self.attempt, self.run = attempt, run
        self.lines: list[str] = []
        self.statements: list[str] = []

    def now(self) -> datetime:
        return START

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(message)

    def progress(self, *_: Any) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        pass

    @contextmanager
    def connect(self) -> Iterator[Any]:
        yield SimpleNamespace(cursor=lambda: nullcontext(SimpleNamespace(execute=self.statements.append)))


@pytest.mark.parametrize(
    ("retries", "runs", "attempt"),
    [
        (1, (FIRST, FIRST, FIRST, SECOND, OVER), 2),
        (2, (FIRST, FIRST, replace(SECOND, state="FAILED"), replace(OVER, attempt=3)), 3),
        (0, (FIRST, SECOND), None),
        (1, (replace(SECOND, state="FAILED"), replace(OVER, attempt=3)), None),
        (1, (replace(FIRST, scheduled_from="MANUAL RETRY"), SECOND), None),
        (1, (FIRST, FIRST), None),
    ],
)
def test_following_goes_on_through_automatic_attempts(
    retries: int, runs: tuple[GraphRun, ...], attempt: int | None
) -> None:
    """As many as are declared, though the next one shows some time after the one before has ended."""
    told: Any = Told(retries, *runs)
    context: Any = Listening()
    if attempt is None:
        with pytest.raises(RunFailed):
            Follower(told).follow(context, SCOPE, GRAPH, "7")
    else:
        assert Follower(told).follow(context, SCOPE, GRAPH, "7")["attempt"] == attempt
        assert f"Attempt {attempt} of run 7" in context.lines


@pytest.mark.parametrize(("attempt", "run", "again"), [(1, 1, False), (2, 1, True), (1, 2, True)])
def test_what_failed_is_run_again_by_a_step_that_is_done_again(attempt: int, run: int, again: bool) -> None:
    """Or that begins in an operation that was cancelled before it, and resumed."""
    told: Any = Told(0, FIRST, SECOND, OVER)
    context: Any = Listening(attempt, run)
    if not again:
        with pytest.raises(RunFailed):
            Follower(told).follow(context, SCOPE, GRAPH, "7")
        return
    assert Follower(told).follow(context, SCOPE, GRAPH, "7")["state"] == "SUCCEEDED"
    assert context.statements == [f"EXECUTE TASK {SCOPE.own(GRAPH)} RETRY GRAPH RUN GROUP '7'"]


def test_marks_of_attempts() -> None:
    both = (Attempt(1, "FAILED", START), Attempt(2, "EXECUTING", START))
    assert [replace(run, attempts=both).is_last_attempt for run in (FIRST, SECOND)] == [False, True]


def test_beside_others_a_graph_of_many_tasks_has_fewer_runs(world: World) -> None:
    world.deploy("SELECT 1", "SELECT 1")
    for count in (1, 2):
        world.execute()
        world.until(lambda count=count: [state for _, state, _ in world.runs()] == ["SUCCEEDED"] * count)
    for run in world.told():
        world.training.observe(world.here, run)

    def shown(task_runs: int | None) -> list[int]:
        (graph,) = world.training.graphs(world.name, "DEV", 30, task_runs)
        return [len(run.tasks) for run in graph.runs]

    assert (shown(None), shown(6), shown(5), shown(1)) == ([3, 3], [3, 3], [3], [3])
