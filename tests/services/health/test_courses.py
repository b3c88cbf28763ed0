"""How graphs run, against figures worked out by hand; and what of a run is not as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.core.errors import Conflict, Invalid, NotFound
from services.costs.rolling import roll_up
from services.db.records import AuditEventRecord
from services.health.comparing import SingleRuns
from services.health.types import Changed, TaskChange
from tests.services.health.filling import DAY, HOUR, NOW, Place

TASKS = {"LOAD": {"took": 4.0}, "FIT": {"at": 5.0, "took": 20.0, "returned": "3"}, "CHECK": {"at": 26.0}}


def test_statistics_are_of_a_week_against_four_weeks_before(place: Place) -> None:
    for days, seconds in ((1, 10), (2, 20), (3, 60), (8, 10), (20, 20), (34, 30), (36, 999)):
        place.run(days * DAY, seconds=seconds)
    place.run(4 * DAY, "FAILED", seconds=999)
    place.run(5 * DAY, "CANCELLED", seconds=999)
    place.run(HOUR, "EXECUTING")
    (found,) = place.health().statistics()
    assert (found.runs_7, found.runs_30) == (6, 8)
    assert (found.success_7, found.success_30) == (pytest.approx(3 / 4), pytest.approx(5 / 6))
    assert (found.run_p50, found.run_p95) == (20, pytest.approx(56))
    assert (found.baseline_p50, found.baseline_p95) == (20, pytest.approx(29))
    assert (found.ratio, found.last_state, found.last_run_at) == (1.0, "EXECUTING", NOW - HOUR)
    assert place.health().statistics(spoke="pears") == ()


def test_each_spoke_at_a_glance(place: Place) -> None:
    for days in range(1, 40):
        place.run(days * DAY, "FAILED" if days == 3 else "SUCCEEDED", seconds=10 if days > 7 else 30)
    place.run(2 * HOUR, "FAILED", graph="HOURLY")
    place.run(HOUR, "SUCCEEDED", graph="OTHER", environment="PROD")
    place.run(HOUR, spoke=None, environment=None)
    place.roll_up()
    with place.history.write() as db:
        db.execute(
            "INSERT INTO graph_schedules VALUES ('DB', 'tides_DEV', 'DAILY', 'r', 'started', '1 HOUR', ?, ?),"
            " ('DB', 'tides_DEV', 'HOURLY', 'r', 'suspended', '1 HOUR', ?, ?)",
            [NOW.replace(tzinfo=None) + timedelta(hours=hours) for hours in (5, 0, 1, 0)],
        )
    dev, prod = place.health().glance()
    assert (dev.spoke, dev.environment, len(dev.runs), dev.runs[-1].graph) == ("tides", "DEV", 30, "HOURLY")
    assert [run.started_at for run in dev.runs] == sorted(run.started_at for run in dev.runs)
    assert (dev.success_7, dev.failed_graphs, dev.next_run_at) == (pytest.approx(6 / 8), 1, NOW + 5 * HOUR)
    assert dev.slowest is not None
    assert (dev.slowest.graph, dev.slowest.ratio) == ("DAILY", 3.0)
    assert (prod.environment, len(prod.runs), prod.failed_graphs) == ("PROD", 1, 0)
    # Without a baseline what it takes is told all the same.
    assert prod.slowest is not None
    assert (prod.slowest.graph, prod.slowest.run_p50, prod.slowest.ratio) == ("OTHER", 10.0, None)


def test_a_run_against_the_last_good_one(place: Place) -> None:
    config = {"depth": 6, "model": {"kind": "trees"}, "request_id": "op-1"}
    good = place.run(2 * DAY, config=config, tasks=TASKS)
    place.run(DAY, "FAILED", tasks={"LOAD": {"state": "FAILED"}})
    slow = {
        "LOAD": {"took": 12.0, "wait": 9.0},
        "FIT": {"at": 30.0, "took": 20.5, "returned": "4"},
        "CHECK": {"state": "SKIPPED"},
        "NEW": {"at": 40.0},
    }
    now = place.run(
        HOUR,
        config={"depth": 7, "model": {"kind": "trees"}, "rows": 1, "request_id": "op-2"},
        tasks=slow,
        version=2,
    )
    place.run(timedelta(minutes=1), tasks=TASKS)
    found = place.health().run("tides", "DEV", "DAILY", now).difference
    assert found is not None
    assert (found.good.run_id, found.version_before, found.version_now, found.nothing) == (good, 1, 2, False)
    assert found.config == (Changed("depth", "6", "7"), Changed("rows", None, "1"))
    assert found.returned == (Changed("DAILY$FIT", "3", "4"),)
    assert found.tasks == (
        TaskChange("DAILY$CHECK", 2.0, None, 0.5, None, "was SKIPPED"),
        TaskChange("DAILY$NEW", None, 2.0, None, 0.5, "did not run before"),
        TaskChange("DAILY$LOAD", 4.0, 12.0, 0.5, 9.0),
    )
    assert found.tasks[2].ratio == 3.0
    assert place.health().run("tides", "DEV", "DAILY", good).difference is None


def test_a_run_like_the_last_good_one_and_one_that_goes_on(place: Place) -> None:
    place.run(2 * DAY, tasks=TASKS, config={"request_id": "op-1"})
    same = place.run(DAY, tasks=TASKS, config={"request_id": "op-2"})
    found = place.health().run("tides", "DEV", "DAILY", same).difference
    assert found is not None
    assert found.nothing
    going = place.run(HOUR, "EXECUTING", tasks={"LOAD": {"took": 4.0}, "FIT": {"state": "EXECUTING"}})
    found = place.health().run("tides", "DEV", "DAILY", going).difference
    assert found is not None
    assert found.tasks == ()


def test_a_run_has_its_attempts_its_cost_and_its_operation(place: Place) -> None:
    broken = {"LOAD": {}, "FIT": {"state": "FAILED", "message": "x"}}
    run = place.run(40 * DAY, "FAILED", attempts=2, tasks=broken, config={"request_id": "op-1"})
    place.run(
        39 * DAY,
        run_id=run,
        attempt=2,
        attempts=2,
        tasks={"FIT": {"query": "q-2"}},
        config={"request_id": "op-1"},
    )
    with place.history.write() as db:
        at = (NOW - 39 * DAY).replace(tzinfo=None)
        for query, root, credits in (("q-2", None, 0.5), ("child", "q-2", 0.25), ("other", "other", 9.0)):
            db.execute(
                "INSERT INTO query_credits VALUES (?, ?, NULL, 'WH', NULL, 'ME', ?, ?, ?, 0.125, ?)",
                [query, root, at, at, credits, at],
            )
    # What was read and not reckoned yet is in no list of costs, nor here.
    assert place.health().run("tides", "DEV", "DAILY", run).credits is None
    with place.history.write() as db:
        roll_up(db, [at.date()], {})
    found = place.health().run("tides", "DEV", "DAILY", run)
    assert (found.row.attempt, [one.state for one in found.attempts]) == (2, ["FAILED", "SUCCEEDED"])
    assert {task.name: (task.attempt, task.state) for task in found.tasks} == {
        "DAILY$LOAD": (1, "SUCCEEDED"),
        "DAILY$FIT": (2, "SUCCEEDED"),
    }
    assert (found.credits, found.operation_id) == (1.0, "op-1")
    first = place.health().run("tides", "DEV", "DAILY", run, 1)
    assert {task.name: task.state for task in first.tasks} == {
        "DAILY$LOAD": "SUCCEEDED",
        "DAILY$FIT": "FAILED",
    }
    # The cost is of the run, as in the lists of costs, whichever attempt is shown.
    assert first.credits == 1.0


def test_the_grid_has_each_task_of_each_run_and_what_failed_first(place: Place) -> None:
    place.run(2 * DAY, tasks=TASKS)
    place.run(DAY, "FAILED", tasks={**TASKS, "CHECK": {"state": "FAILED", "at": 26.0, "took": 1.0}})
    place.run(HOUR, tasks={"LOAD": {"took": 4.0}})
    health = place.health()
    grid = health.graph("tides", "DEV", "DAILY").grid
    assert [run.state for run in grid.runs] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert {task.name: task.cells for task in grid.tasks} == {
        "DAILY$LOAD": (("SUCCEEDED", 4.0),) * 3,
        "DAILY$FIT": (("SUCCEEDED", 20.0), ("SUCCEEDED", 20.0), None),
        "DAILY$CHECK": (("SUCCEEDED", 2.0), ("FAILED", 1.0), None),
    }
    assert [task.name for task in grid.tasks] == ["DAILY$LOAD", "DAILY$FIT", "DAILY$CHECK"]
    first = health.graph("tides", "DEV", "DAILY", failed_first=True).grid
    assert next((task.name, task.failed) for task in first.tasks) == ("DAILY$CHECK", 1)
    rest = health.graph("tides", "DEV", "DAILY", first=1).grid
    assert ([task.name for task in rest.tasks], rest.total) == (["DAILY$FIT", "DAILY$CHECK"], 3)
    with pytest.raises(NotFound):
        health.graph("tides", "DEV", "NONE")


def test_views_are_kept_by_name_and_every_change_is_audited(place: Place) -> None:
    views = place.health().views
    made = views.save("  Slow   runs ", "?duration=10m..&state=&cursor=abc&sort=-duration", "ada")
    assert (made.name, made.query) == ("Slow runs", "duration=10m..&sort=-duration")
    other = views.save("All", "", "ada")
    for name, query in (
        ("", ""),
        ("x" * 101, ""),
        ("a", "sate=1"),
        ("a", "duration=soon"),
        ("a", "sort=size"),
        ("a", "x"),
    ):
        with pytest.raises(Invalid):
            views.save(name, query, "ada")
    for taken in (lambda: views.save("All", "", "bo"), lambda: views.change(made.id, "bo", name="All")):
        with pytest.raises(Conflict):
            taken()
    assert views.change(other.id, "bo", name="Failed", query="state=FAILED") == replace(
        other, name="Failed", query="state=FAILED"
    )
    views.delete(made.id, "bo")
    with pytest.raises(NotFound):
        views.delete(made.id, "bo")
    assert [view.name for view in views.all()] == ["Failed"]
    with place.database.read() as db:
        told = [
            (event.action, event.actor) for event in db.query(AuditEventRecord).order_by(AuditEventRecord.id)
        ]
    assert told == [
        ("saved_view.create", "ada"), ("saved_view.create", "ada"), ("saved_view.change", "bo"),
        ("saved_view.delete", "bo"),
    ]  # fmt: skip


@pytest.mark.parametrize("current", [True, False])
def test_a_run_is_found_by_what_it_was_requested_as(place: Place, current: bool) -> None:
    """Its newest attempt, which was not requested; and only of its own graph."""
    place.run(2 * HOUR, "FAILED", run_id="7", attempts=2, config={"request_id": "op-1"})
    place.run(HOUR, run_id="7", attempt=2, attempts=2)
    place.run(HOUR, run_id="8", graph="OTHER", config={"request_id": "op-2"})
    place.history.wait_for_index()
    if not current:
        place.history.index.stale()
    row = place.health().run("tides", "DEV", "DAILY", "op-1").row
    assert (row.run_id, row.attempt) == ("7", 2)
    single = SingleRuns(place.history)
    assert single.find("tides", "DEV", "DAILY", "op-2", None, NOW) == (None, ())
