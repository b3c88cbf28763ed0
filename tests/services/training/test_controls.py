"""What is changed of a deployed graph, on an account that keeps Snowflake's rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from services.core.errors import Conflict, Invalid, NotFound
from services.operations import StepContext
from services.training.controls import GraphControls, check_schedule
from services.training.following import Follower
from tests.services.training.conftest import GRAPH, World

LONG = "CALL SYSTEM$WAIT(60)"
DAILY, HOURLY = "USING CRON 0 6 * * * UTC", "60 MINUTES"


@pytest.fixture
def controlled(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The controls' kinds are known; the account has no roles of the spoke's, so that the login's is used."""
    before = StepContext.connect

    @contextmanager
    def connect(self: StepContext, **options: Any) -> Iterator[Any]:
        with before(self, **{name: value for name, value in options.items() if name != "role"}) as connection:
            yield connection

    monkeypatch.setattr(StepContext, "connect", connect)
    spokes: Any = world
    assert world.operations is not None
    for kind in GraphControls(world.training, spokes, Follower(world.training)).kinds():
        world.operations.registry.add(kind)
    return world


def root(world: World) -> tuple[str, str | None]:
    (row,) = [row for row in world.run("SHOW TASKS") if row["name"] == GRAPH]
    return row["state"], row["schedule"]


def ended(world: World, operation_id: str) -> Any:
    assert world.operations is not None
    return world.operations.wait(operation_id)


def test_a_graph_is_suspended_resumed_and_scheduled(controlled: World) -> None:
    world, training = controlled, controlled.training
    world.deploy("SELECT 1", options=f"SCHEDULE = '{DAILY}'")
    assert root(world) == ("suspended", DAILY)
    assert ended(world, training.resume(world.name, "DEV", GRAPH, "ada")).result == {
        "graph": GRAPH,
        "state": "started",
    }
    assert root(world) == ("started", DAILY)
    changed = ended(world, training.schedule(world.name, "DEV", GRAPH, "  60   MINUTES ", "ada"))
    assert changed.result == {"graph": GRAPH, "schedule": HOURLY, "before": DAILY}
    assert root(world) == ("started", HOURLY)
    assert ended(world, training.suspend(world.name, "DEV", GRAPH, "ada")).state == "succeeded"
    assert root(world) == ("suspended", HOURLY)
    # What was suspended stays so.
    ended(world, training.schedule(world.name, "DEV", GRAPH, DAILY, "ada"))
    assert root(world) == ("suspended", DAILY)


def test_a_schedule_that_the_account_refuses_half_way_is_put_back(
    controlled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = controlled
    world.deploy("SELECT 1", options=f"SCHEDULE = '{DAILY}'")
    world.run(f"ALTER TASK {GRAPH} RESUME")
    monkeypatch.setattr("services.training.controls.check_schedule", lambda text: text)
    failed = ended(
        world, world.training.schedule(world.name, "DEV", GRAPH, "USING CRON 99 6 * * * UTC", "ada")
    )
    assert failed.state == "failed"
    assert root(world) == ("started", DAILY)


@pytest.mark.parametrize(
    "text", ["soon", "0 MINUTES", "11521 MINUTES", "USING CRON 0 6 * * UTC", "USING CRON 0 6 * * * Mars/Base",
             "USING CRON 0 6 * * ;* UTC", "60 MINUTES'; DROP TASK X", "USING CRON 99 6 * * * UTC",
             "USING CRON 0 22-24 * * * UTC", "USING CRON 0 6 0 * * UTC", "USING CRON 0 6 * 13 * UTC",
             "USING CRON 0 6 * * 1,8 UTC"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_before_anything_is_done(controlled: World, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_schedule(text)
    controlled.deploy("SELECT 1")
    with pytest.raises(Invalid):
        controlled.training.schedule(controlled.name, "DEV", GRAPH, text, "ada")


@pytest.mark.parametrize(
    "text", ["USING CRON */15 0-23/90 1,31,L 1-12 0,7,5L UTC", "USING CRON 59 23 * JAN MON-FRI Europe/Paris"]
)  # fmt: skip
def test_what_is_a_schedule_is_let_through(text: str) -> None:
    assert check_schedule(text) == text


def test_what_the_manifest_does_not_declare_is_not_changed(controlled: World) -> None:
    controlled.run("CREATE TASK OTHER SCHEDULE = '60 MINUTES' AS SELECT 1")
    for change in (controlled.training.suspend, controlled.training.resume):
        with pytest.raises(NotFound):
            change(controlled.name, "DEV", "OTHER", "ada")
    with pytest.raises(Conflict):
        controlled.training.suspend(controlled.name, "DEV", GRAPH, "ada")


def test_a_run_that_others_started_is_cancelled(controlled: World) -> None:
    world = controlled
    world.deploy(LONG, "SELECT 1")
    world.execute()
    (run,) = world.until(lambda: [one for one in world.told() if one.state == "EXECUTING"])
    assert (
        ended(world, world.training.cancel(world.name, "DEV", GRAPH, run.run_id, "ada")).state == "succeeded"
    )
    assert world.training.told(world.here, GRAPH, run.run_id).state == "CANCELLED"
    with pytest.raises(Conflict, match="is over"):
        world.training.cancel(world.name, "DEV", GRAPH, run.run_id, "ada")


def test_an_edited_configuration_is_merged_over_the_graphs_own(controlled: World) -> None:
    world = controlled
    world.deploy("SELECT 1", options='CONFIG = \'{"a": 1, "b": {"c": 2}}\'')
    first = ended(world, world.training.start(world.name, "DEV", GRAPH, "ada", {"a": 5}))
    run = world.training.run(world.name, "DEV", GRAPH, first.steps[0].result["run_id"])
    assert run.config == {"a": 5, "b": {"c": 2}, "request_id": first.id}
    again = ended(world, world.training.again(world.name, "DEV", GRAPH, run.run_id, "ada"))
    assert world.training.run(world.name, "DEV", GRAPH, again.steps[0].result["run_id"]).config == {
        "a": 5, "b": {"c": 2}, "request_id": again.id
    }  # fmt: skip
    with pytest.raises(Invalid, match="request_id"):
        world.training.start(world.name, "DEV", GRAPH, "ada", {"request_id": "x"})


def test_many_runs_are_retried_and_each_ones_result_is_told(controlled: World) -> None:
    world = controlled
    world.run("CREATE TABLE GOOD (A INT)")
    world.deploy("SELECT * FROM MISSING")
    failed = ended(world, world.submit())
    assert failed.state == "failed"
    (run,) = world.training.runs(world.name, "DEV", GRAPH)
    world.run("CREATE TABLE MISSING (A INT)")
    here = {"spoke": world.name, "environment": "DEV", "graph": GRAPH}
    done = ended(
        world, world.training.retry_many([{**here, "run_id": run.run_id}, {**here, "run_id": "none"}], "ada")
    )
    assert done.state == "succeeded", done.error
    told = [(one["run_id"], one["state"]) for one in done.result["runs"]]
    assert (told, done.result["succeeded"]) == ([(run.run_id, "SUCCEEDED"), ("none", "REFUSED")], 1)
    assert "none" in done.result["runs"][1]["error"]


def test_runs_of_one_graph_are_retried_one_after_the_other_and_each_once(controlled: World) -> None:
    world = controlled
    world.deploy("SELECT * FROM MISSING")
    for _ in range(2):
        assert ended(world, world.submit()).state == "failed"
    world.run("CREATE TABLE MISSING (A INT)")
    here = {"spoke": world.name, "environment": "DEV", "graph": GRAPH}
    failed = [run.run_id for run in world.training.runs(world.name, "DEV", GRAPH)]
    assert len(failed) == 2
    asked = [{**here, "run_id": run_id} for run_id in (*failed, "none", failed[0])]
    done = ended(world, world.training.retry_many(asked, "ada"))
    assert done.state == "succeeded", done.error
    told = [(one["run_id"], one["state"]) for one in done.result["runs"]]
    assert told == [(failed[0], "SUCCEEDED"), (failed[1], "SUCCEEDED"), ("none", "REFUSED")], done.result


def test_an_operation_that_could_retry_none_has_failed(controlled: World) -> None:
    world = controlled
    world.deploy("SELECT 1")
    here = {"spoke": world.name, "environment": "DEV", "graph": GRAPH}
    done = ended(
        world, world.training.retry_many([{**here, "run_id": "none"}, {**here, "run_id": "no"}], "ada")
    )
    assert done.state == "failed"
    assert "None of the runs can be retried" in str(done.error)
