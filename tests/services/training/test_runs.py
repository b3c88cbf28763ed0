"""Rows of TASK_HISTORY and of the graph functions put together to runs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.training.history import runs_of
from services.training.repository import tasks_in_order

START = datetime(2026, 1, 1, 6, tzinfo=UTC)


def moment(second: float | None) -> datetime | None:
    return None if second is None else START + timedelta(seconds=second)


def task(name: str, state: str, begin: float, end: float | None = None, **more: Any) -> dict[str, Any]:
    row = {
        "NAME": name,
        "STATE": state,
        "RETURN_VALUE": None,
        "ERROR_CODE": None,
        "ERROR_MESSAGE": None,
        "CONFIG": None,
        "GRAPH_RUN_GROUP_ID": 7,
        "ATTEMPT_NUMBER": 1,
        "SCHEDULED_FROM": "EXECUTE TASK",
        "SCHEDULED_TIME": moment(begin),
        "QUERY_START_TIME": moment(begin) if state != "SKIPPED" else None,
        "COMPLETED_TIME": moment(end),
        "QUERY_ID": f"q-{name}",
        "QUERY_TEXT": "CALL …",
        "ROOT_TASK_ID": "root",
    }
    return {**row, **more}


def graph(state: str, begin: float, end: float | None, **more: Any) -> dict[str, Any]:
    row = {
        "ROOT_TASK_NAME": "G",
        "STATE": state,
        "SCHEDULED_FROM": "EXECUTE TASK",
        "FIRST_ERROR_TASK_NAME": None,
        "FIRST_ERROR_CODE": None,
        "FIRST_ERROR_MESSAGE": None,
        "SCHEDULED_TIME": moment(begin),
        "QUERY_START_TIME": moment(begin),
        "COMPLETED_TIME": moment(end),
        "CONFIG": json.dumps({"request_id": "r"}),
        "GRAPH_RUN_GROUP_ID": 7,
        "ATTEMPT_NUMBER": 1,
        "ROOT_TASK_ID": "root",
    }
    return {**row, **more}


def told(runs: list[Any]) -> list[Any]:
    return [
        (run.run_id, run.attempt, run.state, run.seconds, {one.name: one.state for one in run.tasks})
        for run in runs
    ]


def test_a_run_under_way_is_not_over_between_two_tasks() -> None:
    history = [task("G", "SUCCEEDED", 0, 1), task("G$A", "SUCCEEDED", 1, 3)]
    (run,) = runs_of(history, [graph("EXECUTING", 0, None)])
    assert (run.state, run.completed_at, run.config) == ("EXECUTING", None, {"request_id": "r"})


def test_a_run_that_has_begun_has_no_task_yet() -> None:
    (run,) = runs_of([], [graph("EXECUTING", 0, None)])
    assert told([run]) == [("7", 1, "EXECUTING", None, {})]


def test_a_run_that_is_only_due_is_none() -> None:
    due = {"SCHEDULED_FROM": "SCHEDULE"}
    for group in (7, None):
        row = graph("SCHEDULED", 60, None, GRAPH_RUN_GROUP_ID=group, **due)
        assert runs_of([task("G", "SCHEDULED", 60, GRAPH_RUN_GROUP_ID=group, **due)], [row]) == []


@pytest.mark.parametrize("asked", ["EXECUTE TASK", "EXECUTE_TASK", "MANUAL RETRY"])
def test_a_run_that_was_asked_for_and_waits_is_one(asked: str) -> None:
    more = {"SCHEDULED_FROM": asked}
    rows = [task("G", "SCHEDULED", 60, CONFIG='{"request_id": "r"}', **more)]
    for history, graphs in ((rows, []), ([], [graph("SCHEDULED", 60, None, **more)])):
        (run,) = runs_of(history, graphs)
        assert (run.state, run.config, run.tasks) == ("SCHEDULED", {"request_id": "r"}, ())


def test_what_has_just_happened_is_not_over_before_it_is_told() -> None:
    rows = [task("G", "SUCCEEDED", 0, 1)]
    skipped = [task("G", "SKIPPED", 0, 1, QUERY_START_TIME=None)]
    for minutes, states in ((1, ["EXECUTING", "SKIPPED"]), (61, ["SUCCEEDED", "SKIPPED"])):
        clock = START + timedelta(minutes=minutes)
        assert [runs_of(one, [], lambda at=clock: at)[0].state for one in (rows, skipped)] == states


def test_the_task_tells_the_configuration_before_the_graph() -> None:
    """The graph functions may tell that of the definition."""
    own, default = '{"request_id": "r", "a": 1}', '{"a": 1}'
    for history, config in (
        ([task("G", "EXECUTING", 0, CONFIG=own)], {"request_id": "r", "a": 1}),
        ([task("G", "EXECUTING", 0)], {"a": 1}),
        ([], {"a": 1}),
    ):
        (run,) = runs_of(history, [graph("EXECUTING", 0, None, CONFIG=default)])
        assert run.config == config


def test_of_a_run_that_is_told_twice_its_end_holds() -> None:
    (run,) = runs_of([task("G", "SUCCEEDED", 0, 1)], [graph("EXECUTING", 0, None), graph("SUCCEEDED", 0, 2)])
    assert (run.state, run.seconds) == ("SUCCEEDED", 2.0)


def test_a_retry_keeps_what_had_succeeded() -> None:
    history = [
        task("G", "SUCCEEDED", 0, 1),
        task("G$A", "SUCCEEDED", 1, 3),
        task("G$B", "FAILED", 3, 5, ERROR_CODE="100", ERROR_MESSAGE="no\nreason"),
        task("G$B", "SUCCEEDED", 10, 12, ATTEMPT_NUMBER=2),
        task("G$C", "SKIPPED", 12, 12, ATTEMPT_NUMBER=2),
    ]
    complete = [graph("FAILED", 0, 5), graph("SUCCEEDED", 10, 13, ATTEMPT_NUMBER=2)]
    second, first = runs_of(history, complete)
    assert told([first, second]) == [
        ("7", 1, "FAILED", 5.0, {"G": "SUCCEEDED", "G$A": "SUCCEEDED", "G$B": "FAILED"}),
        (
            "7",
            2,
            "SUCCEEDED",
            3.0,
            {"G": "SUCCEEDED", "G$A": "SUCCEEDED", "G$B": "SUCCEEDED", "G$C": "SKIPPED"},
        ),
    ]
    assert (first.first_error_task, first.first_error_code, first.first_error_message) == (
        "G$B",
        "100",
        "no\nreason",
    )
    assert (second.first_error_task, second.first_error_message) == (None, None)
    assert [(one.attempt, one.state) for one in first.attempts] == [(1, "FAILED"), (2, "SUCCEEDED")]
    assert (first.attempts, first.is_last_attempt, second.is_last_attempt) == (second.attempts, False, True)


def test_the_state_of_an_old_run_comes_from_its_tasks() -> None:
    done = [task("G", "SUCCEEDED", 0, 1), task("G$A", "SKIPPED", 1, 1)]
    failed = [
        task("G", "SUCCEEDED", 9, 10, GRAPH_RUN_GROUP_ID=8),
        task("G$A", "FAILED", 10, 11, GRAPH_RUN_GROUP_ID=8),
    ]
    assert [(run.run_id, run.state) for run in runs_of([*done, *failed], [])] == [
        ("8", "FAILED"),
        ("7", "SUCCEEDED"),
    ]


def show(
    name: str, predecessors: list[str], condition: str | None = None, **relations: str
) -> dict[str, Any]:
    return {
        "name": name,
        "predecessors": json.dumps([f'DB."S".{one}' for one in predecessors]),
        "task_relations": json.dumps(relations),
        "condition": condition,
        "state": "started",
        "schedule": None,
        "warehouse": "WH",
        "comment": None,
        "definition": "SELECT 1",
    }


def test_tasks_stand_after_their_predecessors() -> None:
    rows = [
        show("G$Z_END", ["G$M_LEFT", "G$A_RIGHT"]),
        show("G$A_RIGHT", ["G$Q_BRANCH"], "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('G$Q_BRANCH') = 'A_RIGHT'"),
        show("G$M_LEFT", ["G$Q_BRANCH"], "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('G$Q_BRANCH') = 'M_LEFT'"),
        show("G$A_FINAL", [], FinalizedRootTask="DB.S.G"),
        show("G$Q_BRANCH", ["G"]),
        show("G", []),
    ]
    tasks = tasks_in_order(rows)
    assert [(one.name, one.kind, one.predecessors, one.is_branch) for one in tasks] == [
        ("G", "root", (), False),
        ("G$Q_BRANCH", "task", ("G",), True),
        ("G$A_RIGHT", "task", ("G$Q_BRANCH",), False),
        ("G$M_LEFT", "task", ("G$Q_BRANCH",), False),
        ("G$Z_END", "task", ("G$M_LEFT", "G$A_RIGHT"), False),
        ("G$A_FINAL", "finalizer", (), False),
    ]


def test_a_thousand_tasks_stand_in_order_and_those_of_a_circle_at_the_end() -> None:
    """Forty chains whose tasks count down, so that no order of names is the right one."""
    chains = [[f"G$C{chain:02d}_{place:02d}" for place in reversed(range(25))] for chain in range(40)]
    rows = [
        show(one, [before]) for names in chains for before, one in zip(["G", *names], names, strict=False)
    ]
    rows.append(show("G$A_JOIN", [names[-1] for names in chains]))
    rows.append(show("G$B_FINAL", [], FinalizedRootTask="DB.S.G"))
    rows += [show("G$LOOP_1", ["G$LOOP_2", "G$A_JOIN"]), show("G$LOOP_2", ["G$LOOP_1"])]
    rows.append(show("G", []))
    assert [one.name for one in tasks_in_order(rows)] == [
        "G", *(name for names in chains for name in names), "G$A_JOIN", "G$B_FINAL", "G$LOOP_1", "G$LOOP_2"
    ]  # fmt: skip


def test_a_branch_is_known_by_a_condition_that_names_it_whole() -> None:
    rows = [
        show("it's", []),
        show("G$B", ["G"], "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('it''s') = 'x'"),
        show("G$B_2", ["G$B"], "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('G$B') = 'y' AND TRUE"),
        show("G$B_3", ["G$B_2"]),
    ]
    assert {one.name: one.is_branch for one in tasks_in_order(rows)} == {
        "it's": True, "G$B": True, "G$B_2": False, "G$B_3": False
    }  # fmt: skip
