"""Charts are functions of rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_account import Registry
from sample_forecasts import Predictions
from sample_runs import training_run

from app.charts.city import city_map
from app.charts.dag import BOX_HEIGHT, BOX_WIDTH, draw
from app.charts.days import day_axis
from app.charts.forecasts import (
    error_by_type,
    error_by_weekday,
    error_over_time,
    over_time,
    point_history,
    predicted_vs_actual,
)
from app.charts.gantt import gantt
from app.charts.versions import metrics_over_versions
from services.predictions.types import Evaluation, ScoredPrediction
from services.training.types import Task, TaskRun

START = datetime(2025, 7, 1, 6, tzinfo=UTC)
rows = Predictions()


def charts():
    evaluations = rows.evaluations("pudo", "DEV").items
    scored = rows.scored("pudo", "DEV")
    return [
        over_time(evaluations),
        error_over_time(evaluations),
        point_history(rows.history("pudo", "DEV", "PUDO_0001")),
        predicted_vs_actual(scored),
        error_by_weekday(scored),
        error_by_type(scored),
        city_map(rows.day("pudo", "DEV").rows),
        metrics_over_versions(Registry().models("pudo", "DEV")[0].versions),
    ]


@pytest.mark.parametrize("chart", charts(), ids=lambda chart: chart.id)
def test_chart_is_complete(chart):
    layout = chart.figure["layout"]
    assert chart.title
    assert layout["xaxis"]["title"]["text"]
    assert layout["yaxis"]["title"]["text"]
    assert chart.table.rows
    assert {len(row) for row in chart.table.rows} == {len(chart.table.headers)}
    assert json.loads(json.dumps(chart.figure, allow_nan=False)) == chart.figure


def test_empty_rows_make_empty_charts():
    for chart in (
        over_time(()),
        error_over_time(()),
        predicted_vs_actual(()),
        error_by_type(()),
        city_map(()),
    ):
        assert chart.empty
    assert metrics_over_versions(()).empty


def test_time_runs_forward():
    items = [Evaluation((START - timedelta(days=back)).date(), 1, 0.1, 0.1, 0.0) for back in range(3)]
    assert over_time(items).figure["data"][0]["x"] == ["2025-06-29", "2025-06-30", "2025-07-01"]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_days_are_no_course(count):
    items = [Evaluation((START - timedelta(days=back)).date(), 1, 0.1, 0.1, 0.0) for back in range(count)]
    assert over_time(items).empty
    assert error_over_time(items).empty


@given(st.integers(1, 400))
def test_ticks_stand_on_whole_days_and_are_few(count):
    days = [(START + timedelta(days=index)).date().isoformat() for index in range(count)]
    drawn = day_axis(days)
    step = drawn["dtick"] / 86_400_000
    assert step == int(step) >= 1
    assert drawn["tick0"] == days[-1]
    assert count / step <= 9


def test_a_root_that_only_starts_is_small():
    tasks = (Task("G", "root", definition="select 'dag dummy root'"), Task("G$A", "task", ("G",)))
    boxes = {box.task.name: box for box in draw(tasks).boxes}
    assert boxes["G"].start
    assert boxes["G"].width < boxes["G$A"].width
    assert not draw(tasks[:1]).boxes[0].start


def test_error_by_group_is_the_mean_absolute_error():
    monday = START.date() - timedelta(days=1)
    scored = [
        ScoredPrediction(monday, "A", "shop", 0.5, 0.4, 0.2),
        ScoredPrediction(monday, "B", "locker", 0.5, 0.8, None),
    ]
    weekday = error_by_weekday(scored)
    assert weekday.figure["data"][0]["y"] == [0.2, None, None, None, None, None, None]
    assert weekday.figure["data"][1]["y"][0] == 0.2
    assert error_by_type(scored).table.rows == (
        ("Locker", "30.00 %", None, 1),
        ("Shop", "10.00 %", "20.00 %", 1),
    )


def test_map_keeps_proportions():
    chart = city_map(rows.day("pudo", "DEV").rows)
    marker = chart.figure["data"][0]["marker"]
    assert chart.figure["layout"]["yaxis"]["scaleanchor"] == "x"
    assert len(marker["size"]) == len(marker["color"]) == 100
    # The fullest is drawn last, on top.
    assert marker["color"] == sorted(marker["color"])


def test_gantt_shares_out_the_run():
    tasks = (
        TaskRun("A", "SUCCEEDED", 1, START, START + timedelta(seconds=2), START + timedelta(seconds=6)),
        TaskRun("B", "EXECUTING", 1, START + timedelta(seconds=6), START + timedelta(seconds=6)),
        TaskRun("C", "SKIPPED", 1, START + timedelta(seconds=6)),
    )
    drawn = gantt(tasks, START + timedelta(seconds=10))
    first, second, third = drawn.bars
    assert drawn.seconds == 10
    assert (first.queue_from, first.queue_width, first.run_from, first.run_width) == (0, 20, 20, 40)
    assert (second.run_from, second.run_width, second.queue_width) == (60, 40, 0)
    assert (third.name, third.run_seconds, third.run_width) == ("C", None, 0)
    assert [tick.label for tick in drawn.ticks] == ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s"]


def test_gantt_of_the_sample_stays_within_its_axis():
    for state in ("SUCCEEDED", "FAILED", "EXECUTING"):
        run = training_run(state)
        for bar in gantt(run.tasks, datetime.now(UTC)).bars:
            assert 0 <= bar.queue_from <= bar.queue_from + bar.queue_width <= 100.01
            assert 0 <= bar.run_from <= bar.run_from + bar.run_width <= 100.01


@st.composite
def graphs(make):
    """Tasks in topological order, each after some of those before it, maybe a finalizer."""
    size = make(st.integers(1, 12))
    tasks = [Task("T0", "root")]
    for index in range(1, size):
        before = make(st.sets(st.integers(0, index - 1), min_size=1, max_size=3))
        tasks.append(Task(f"T{index}", "task", tuple(f"T{item}" for item in sorted(before))))
    if make(st.booleans()):
        tasks.append(Task("END", "finalizer"))
    return make(st.permutations(tasks))


@given(graphs())
def test_graph_is_drawn_from_left_to_right_without_overlap(tasks):
    drawing = draw(tasks)
    boxes = {box.task.name: box for box in drawing.boxes}
    assert set(boxes) == {task.name for task in tasks}
    edges = {(source, task.name) for task in tasks for source in task.predecessors}
    assert edges <= {(arrow.source, arrow.target) for arrow in drawing.arrows}
    for arrow in drawing.arrows:
        assert boxes[arrow.source].x + BOX_WIDTH < boxes[arrow.target].x
    placed = list(boxes.values())
    for index, one in enumerate(placed):
        assert 0 <= one.x <= drawing.width - BOX_WIDTH
        assert 0 <= one.y <= drawing.height - BOX_HEIGHT
        for other in placed[index + 1 :]:
            assert one.x != other.x or abs(one.y - other.y) >= BOX_HEIGHT


def test_a_cycle_is_refused():
    with pytest.raises(ValueError, match="cycle"):
        draw((Task("A", "task", ("B",)), Task("B", "task", ("A",))))
