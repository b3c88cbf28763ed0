"""Runs are what the account's rows say together, in whatever order and however often they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from filling import NOW, fill, graph, place, task
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.history import History
from services.history.reading import RunReader
from services.history.runs import RunWriter
from services.history.types import Recorded, Row
from services.training.history import runs_of
from services.training.types import GraphRun

FINAL = ("SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED")


def states(history: History) -> list[tuple[Any, ...]]:
    rows = history.rows("SELECT graph, run_id, attempt, attempts, state FROM graph_runs ORDER BY ALL")
    return [tuple(row.values()) for row in rows]


def test_a_run_with_its_tasks(history: History) -> None:
    rows = [
        task("DAILY", took=1, CONFIG='{"request_id": "op-7", "days": [1]}'),
        task("DAILY$A", ago=3590, queue=2, took=30, QUERY_TEXT="SELECT 1", RETURN_VALUE='"x"'),
        task("DAILY$B", "FAILED", ago=3550, queue=4, took=6),
        task("OTHER", schema="PUBLIC", run="9"),
    ]
    assert fill(history, rows) == Recorded(new=4)
    assert fill(history, rows) == Recorded()
    newest, other = RunReader(history).newest("tides"), RunReader(history).newest(graph="OTHER")[0]
    assert [
        (one.spoke, one.environment, one.graph, one.run_id, one.attempt, one.attempts, one.state)
        for one in newest
    ] == [("tides", "DEV", "DAILY", "1001", 1, 1, "FAILED")]
    run = newest[0]
    assert (run.scheduled_at, run.started_at) == (NOW - timedelta(hours=1), NOW - timedelta(seconds=3599))
    assert (run.completed_at, run.queue_seconds, run.run_seconds) == (
        NOW - timedelta(seconds=3540),
        1.0,
        59.0,
    )
    assert (run.tasks, run.tasks_failed, run.first_error_task) == (3, 1, "DAILY$B")
    assert (run.first_error_message, run.request_id) == ("ValueError: DAILY$B broke", "op-7")
    assert (other.spoke, other.environment, other.state) == (None, None, "SUCCEEDED")
    told = RunReader(history).task_rows("SPOKEHUB", "TIDES_DEV", "DAILY")
    assert [
        {key: row[key] for key in one} for row, one in zip(told, _common(rows[:3], told), strict=True)
    ] == told


def _common(rows: list[Row], told: list[Row]) -> list[Row]:
    return [{key: row[key] for key in told[0]} for row in rows]


def test_a_retry_is_an_attempt_of_its_own(history: History) -> None:
    fill(history, [task("G"), task("G$A"), task("G$B", "FAILED")])
    fill(history, [task("G$B", attempt=2, ago=1800, SCHEDULED_FROM="MANUAL RETRY")])
    assert states(history) == [("G", "1001", 1, 2, "FAILED"), ("G", "1001", 2, 2, "SUCCEEDED")]
    (_, second) = reversed(RunReader(history).newest())
    assert (second.tasks, second.tasks_failed, second.scheduled_from) == (3, 0, "MANUAL RETRY")


def test_what_is_told_late_is_final(history: History) -> None:
    fill(history, [task("G"), task("G$A", RETURN_VALUE="1")], source="usage")
    assert fill(history, [task("G$A", "EXECUTING")], source="live") == Recorded()
    assert fill(history, [task("G$A", RETURN_VALUE="2")], source="live") == Recorded()
    assert fill(history, [task("G$A", RETURN_VALUE="3")], source="usage") == Recorded(changed=1)
    assert history.rows("SELECT return_value, source FROM task_runs WHERE name = 'G$A'") == [
        {"return_value": "3", "source": "usage"}
    ]


def test_a_run_is_followed_to_its_end(history: History) -> None:
    def live(*rows: Row, told: list[Row] | None = None, at: float = 0) -> list[tuple[Any, ...]]:
        fill(history, rows, told or [], source="live", seen_at=NOW + timedelta(seconds=at))
        return states(history)

    asked: dict[str, Any] = {"ago": 10, "SCHEDULED_FROM": "EXECUTE TASK"}
    assert live(told=[graph("G", "SCHEDULED", **asked)]) == [("G", "1001", 1, 1, "SCHEDULED")]
    assert live(task("G", "EXECUTING", **asked)) == [("G", "1001", 1, 1, "EXECUTING")]
    done = task("G", took=2, **asked)
    # Its task has ended, and the account has not said that nothing follows.
    assert live(done) == [("G", "1001", 1, 1, "EXECUTING")]
    assert live(done, told=[graph("G", "EXECUTING", **asked)]) == [("G", "1001", 1, 1, "EXECUTING")]
    assert live(told=[graph("G", "SUCCEEDED", took=3, **asked)], at=5) == [("G", "1001", 1, 1, "SUCCEEDED")]


def test_a_run_that_nobody_told_the_end_of_ends(history: History) -> None:
    asked: dict[str, Any] = {"ago": 60, "SCHEDULED_FROM": "EXECUTE TASK"}
    fill(history, [task("G", **asked)], [graph("G", "EXECUTING", **asked)], source="live")
    assert states(history) == [("G", "1001", 1, 1, "EXECUTING")]
    fill(history, [], source="live", seen_at=NOW + timedelta(hours=1))
    assert states(history) == [("G", "1001", 1, 1, "SUCCEEDED")]


def test_a_run_that_waited_gives_way(history: History) -> None:
    asked = {"SCHEDULED_FROM": "EXECUTE TASK"}
    waiting = task("G", "SCHEDULED", run="2", ago=100, **asked)
    fill(history, [task("G", run="1", ago=200, **asked), waiting], source="live")
    assert [row[1] for row in states(history)] == ["1", "2"]
    fill(history, [task("G", run="3", ago=50, **asked)], source="live")
    assert [row[1] for row in states(history)] == ["1", "3"]


def test_what_is_only_due_is_no_run(history: History) -> None:
    due = task("G", "SCHEDULED", ago=-600)
    assert fill(history, [{**due, "GRAPH_RUN_GROUP_ID": None}, due], [graph("G", "SCHEDULED")]) == Recorded()
    assert states(history) == []


def test_newest_follows_what_is_written(history: History) -> None:
    reader = RunReader(history)
    assert reader.newest() == ()
    for number in range(5):
        fill(history, [task("G", run=str(number), ago=1000 - number)])
    assert [one.run_id for one in reader.newest(limit=3)] == ["4", "3", "2"]
    fill(history, [task("G", run="9", ago=1)])
    assert reader.newest("tides", "DEV", "G", 1)[0].run_id == "9"
    assert reader.newest("tides", "PROD") == ()


class Dying:
    """A place that is asked in the midst of the transaction, and does not come back."""

    def __call__(self, database: str, schema: str) -> None:
        raise KeyboardInterrupt


def test_a_write_that_breaks_off_leaves_nothing(history: History) -> None:
    fill(history, [task("G")])
    with pytest.raises(KeyboardInterrupt):
        RunWriter(history).record(
            Dying(), [task("G", run="2")], [graph("G", run="3")], source="live", seen_at=NOW
        )
    assert [row[1] for row in states(history)] == ["1001"]
    assert len(history.rows("SELECT * FROM told_runs")) == 0
    fill(history, [task("G", run="4")])
    assert [row[1] for row in states(history)] == ["1001", "4"]


@st.composite
def truths(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Runs of one graph with one to three attempts, older than what the account still has in view."""
    tasks: list[Row] = []
    graphs: list[Row] = []
    for run in range(draw(st.integers(1, 3))):
        ago = 90_000.0 - run * 10_000
        told = draw(st.booleans())
        for attempt in range(1, draw(st.integers(1, 3)) + 1):
            ago -= 500
            more: dict[str, Any] = {"run": f"r{run}", "attempt": attempt}
            names = draw(st.lists(st.sampled_from(["G", "G$A", "G$B", "G$C"]), unique=True, min_size=1))
            found = [
                task(name, draw(st.sampled_from(FINAL)), ago=ago - place, **more)
                for place, name in enumerate(names)
            ]
            tasks += found
            failed = any(one["STATE"] == "FAILED" for one in found)
            if told:
                graphs.append(graph("G", "FAILED" if failed else "SUCCEEDED", ago=ago, took=60, **more))
    return tasks, graphs


def _of_run(run: GraphRun) -> tuple[Any, ...]:
    return (
        run.graph, run.run_id, run.attempt, run.state, run.scheduled_at, run.started_at, run.completed_at,
        len(run.tasks), run.scheduled_from, run.root_id,
    )  # fmt: skip


@settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(truth=truths(), data=st.data())
def test_in_any_order_the_runs_are_those_that_training_tells(
    history: History, truth: tuple[list[Row], list[Row]], data: st.DataObject
) -> None:
    """However the rows are cut, mixed, repeated and first told unfinished."""
    with history.write() as db:
        for table in ("task_runs", "told_runs", "graph_runs"):
            db.execute(f"DELETE FROM {table}")
    tasks, graphs = truth
    early = [
        {**row, "STATE": "EXECUTING", "COMPLETED_TIME": None} for row in tasks if row["QUERY_START_TIME"]
    ]
    pieces = data.draw(st.permutations([*(("t", row) for row in tasks), *(("g", row) for row in graphs)]))
    pieces = [*(("t", row) for row in data.draw(st.permutations(early))), *pieces]
    while pieces:
        size = data.draw(st.integers(1, len(pieces)))
        piece, pieces = pieces[:size], pieces[size:]
        if data.draw(st.booleans()):
            pieces = pieces + piece[-1:] if piece[-1][1]["STATE"] != "EXECUTING" else pieces
        rows = {kind: [row for what, row in piece if what == kind] for kind in "tg"}
        fill(history, rows["t"], rows["g"], source=data.draw(st.sampled_from(["live", "usage"])))
    in_order = sorted(tasks, key=lambda row: (row["SCHEDULED_TIME"], row["ATTEMPT_NUMBER"]))
    wanted = sorted(map(_of_run, runs_of(in_order, graphs, lambda: NOW)))
    found = RunReader(history).newest(limit=100)
    assert (
        sorted(
            (
                one.graph, one.run_id, one.attempt, one.state, one.scheduled_at, one.started_at, one.completed_at,
                one.tasks, one.scheduled_from, one.root_id,
            )
            for one in found
        )
        == wanted
    )  # fmt: skip
    told = RunReader(history).task_rows("SPOKEHUB", "TIDES_DEV", "G")
    again = runs_of(told, RunReader(history).graph_rows("SPOKEHUB", "TIDES_DEV", "G"), lambda: NOW)
    assert sorted(map(_of_run, again)) == wanted
    assert place("SPOKEHUB", "TIDES_DEV") == ("tides", "DEV")


def test_what_it_worked_with_is_gone(history: History) -> None:
    fill(history, [task("DAILY")])
    with history.read() as db:
        left = db.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert left == []
