"""Charts are functions of rows."""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_account import Registry
from sample_forecasts import CAPACITY, FAILURE, Predictions
from sample_runs import training_run

from app.charts.dag import BOX_HEIGHT, BOX_WIDTH, draw
from app.charts.days import day_axis
from app.charts.figure import near
from app.charts.forecasts import (
    calibration_of_numbers,
    entity_history,
    error_over_time,
    errors_by,
    over_time,
    predicted_by_actual,
)
from app.charts.gantt import gantt
from app.charts.places import place_map
from app.charts.probabilities import calibration, class_pairs, lift, precision_recall, roc
from app.charts.versions import metrics_over_versions
from app.charts.words import Scale, many, words
from services.predictions.repository import MOST_PLACES
from services.predictions.types import (
    Cell,
    ClassPair,
    Confusion,
    Evaluation,
    Part,
    PlacedRow,
    ScoreBin,
    Totals,
)
from services.training.types import Task, TaskRun
from spoke_kit.manifest import PredictionKind

START = datetime(2025, 7, 1, 6, tzinfo=UTC)
rows = Predictions()


def charts():
    evaluations = rows.evaluations("pudo", "DEV").items
    numbers = rows.diagnostics("pudo", "DEV")
    chances = rows.diagnostics("pudo", "DEV", "FAILURE")
    day = rows.page("pudo", "DEV").day
    return [
        over_time(CAPACITY, evaluations),
        error_over_time(CAPACITY, evaluations),
        entity_history(rows.history("pudo", "DEV", ("PUDO_0001",))),
        predicted_by_actual(CAPACITY, numbers.cells),
        calibration_of_numbers(CAPACITY, numbers.cells),
        *errors_by(CAPACITY, numbers.parts),
        place_map(CAPACITY, rows.places("pudo", "DEV", None, day), Totals(100, placed=100)),
        calibration(chances.calibration),
        roc(chances.scores, chances.confusion),
        precision_recall(chances.scores, chances.confusion),
        lift(chances.scores),
        class_pairs([ClassPair("a", "a", 3), ClassPair("b", "a", 1)]),
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
        over_time(CAPACITY, ()),
        error_over_time(CAPACITY, ()),
        predicted_by_actual(CAPACITY, ()),
        calibration_of_numbers(CAPACITY, ()),
        place_map(CAPACITY, (), Totals()),
        calibration(()),
        roc((), None),
        precision_recall((), None),
        lift(()),
        class_pairs(()),
        metrics_over_versions(()),
    ):
        assert chart.empty, chart.id
    assert errors_by(CAPACITY, ()) == ()


def test_time_runs_forward():
    items = [
        Evaluation((START - timedelta(days=back)).date(), "V1", 1, 0.1, 0.2, 0.5, 0.4) for back in range(3)
    ]
    assert over_time(CAPACITY, items).figure["data"][0]["x"] == ["2025-06-29", "2025-06-30", "2025-07-01"]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_days_are_no_course(count):
    items = [
        Evaluation((START - timedelta(days=back)).date(), "V1", 1, 0.1, 0.2, 0.5, 0.4)
        for back in range(count)
    ]
    assert over_time(CAPACITY, items).empty
    assert error_over_time(CAPACITY, items).empty


@given(st.integers(1, 400))
def test_ticks_stand_on_whole_days_and_are_few(count):
    days = [(START + timedelta(days=index)).date().isoformat() for index in range(count)]
    drawn = day_axis(days)
    step = drawn["dtick"] / 86_400_000
    assert step == int(step) >= 1
    assert drawn["tick0"] == days[-1]
    assert count / step <= 9


def test_an_only_day_leaves_room_beside_it():
    assert day_axis(["2025-07-01"])["range"] == ["2025-06-27", "2025-07-05"]
    assert "range" not in day_axis(["2025-07-01", "2025-07-02"])


def test_a_root_that_only_starts_is_small():
    tasks = (Task("G", "root", definition="select 'dag dummy root'"), Task("G$A", "task", ("G",)))
    boxes = {box.task.name: box for box in draw(tasks).boxes}
    assert boxes["G"].start
    assert boxes["G"].width < boxes["G$A"].width
    assert not draw(tasks[:1]).boxes[0].start


def test_versions_of_one_day_are_one_point_weighted_by_their_number():
    days = [START.date() - timedelta(days=back) for back in range(3)]
    items = [Evaluation(day, "A", 1, 0.1) for day in days] + [Evaluation(days[0], "B", 3, 0.5)]
    assert error_over_time(CAPACITY, items).figure["data"][0]["y"] == [0.1, 0.1, 0.4]


def test_errors_by_weekday_and_group():
    weekday, group = errors_by(
        CAPACITY,
        [Part("weekday", "1", 2, 0.2, 0.25, -0.1), Part("KIND", "POST_OFFICE", 1, 0.3, None, 0.3)],
    )
    assert weekday.table.rows == (("Mon", "20.00 %", "25.00 %", "-10.0 pp", 2),)
    assert (group.title, group.table.rows) == (
        "Mean absolute error by kind",
        (("Post office", "30.00 %", None, "+30.0 pp", 1),),
    )
    assert [trace["name"] for trace in group.figure["data"]] == ["Model"]


def test_map_keeps_proportions():
    chart = place_map(CAPACITY, rows.places("pudo", "DEV", None, rows.page("pudo", "DEV").day), Totals(100))
    marker = chart.figure["data"][0]["marker"]
    assert chart.figure["layout"]["yaxis"]["scaleanchor"] == "x"
    assert len(marker["size"]) == len(marker["color"]) == 100
    # The riskiest is drawn last, on top.
    assert marker["color"] == sorted(marker["color"])
    assert (marker["cmin"], marker["cmax"]) == (0.0, 1.25)


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=5),
    st.dictionaries(st.text("ab", min_size=1), st.floats(-90, 90), min_size=1, max_size=3),
    st.sampled_from(["above", "below"]),
)
def test_map_colours_run_from_one_end_to_the_other(values, levels, when):
    contract = CAPACITY.model_copy(
        update={"alert": CAPACITY.alert.model_copy(update={"levels": levels, "when": when})}
    )
    placed = [PlacedRow((str(at),), "x", 1, 1, value) for at, value in enumerate(values)]
    marker = place_map(contract, placed, Totals(len(placed))).figure["data"][0]["marker"]
    stops = [at for at, _ in marker["colorscale"]]
    assert marker["cmin"] < marker["cmax"]
    assert stops == sorted(stops)
    assert (stops[0], stops[-1]) == (0, 1)


def test_a_map_of_many_says_that_it_shows_the_riskiest():
    placed = rows.places("pudo", "DEV", None, rows.page("pudo", "DEV").day)
    chart = place_map(CAPACITY, placed, Totals(5000, placed=4800))
    assert chart.subtitle.endswith("The 100 riskiest of 4,800")


def test_curves_by_hand():
    bins = [
        ScoreBin(2, 0.8, 0.9, 2, 0.85, 2),
        ScoreBin(2, 0.4, 0.5, 2, 0.45, 0),
        ScoreBin(1, 0.1, 0.1, 1, 0.1, 1),
    ]
    confusion = Confusion(0.6, 2, 0, 1, 2)
    curve, mark = roc(bins, confusion).figure["data"]
    assert (curve["x"], curve["y"]) == ([0.0, 0.0, 1.0, 1.0], [0.0, 0.6667, 0.6667, 1.0])
    assert (mark["x"], mark["y"]) == ([0.0], [0.6667])
    assert "area 0.667" in roc(bins, confusion).subtitle
    assert precision_recall(bins, confusion).figure["data"][0]["y"] == [1.0, 0.5, 0.6]
    assert lift(bins).table.rows == (
        ("40%", "66.7 %", "1.67 ×"),
        ("80%", "66.7 %", "0.83 ×"),
        ("100%", "100.0 %", "1.00 ×"),
    )


@pytest.mark.parametrize(
    ("unit", "value", "text", "difference"),
    [
        ({"name": "x", "format": "percent"}, 0.853, "85 %", "+85 pp"),
        ({"name": "x", "suffix": "min"}, 12.34, "12.3 min", "+12.3 min"),
        ({"name": "x"}, 1234.5, "1,234", "+1,234"),
        ({"name": "x"}, -0.0, "0", "0"),
        ({"name": "x"}, 0.004, "0.00", "0.00"),
        ({"name": "x"}, -0.004, "0.00", "0.00"),
        ({"name": "x", "format": "percent"}, -0.004, "0 %", "0 pp"),
    ],
)
def test_values_are_in_the_contracts_unit(unit, value, text, difference):
    scale = Scale(CAPACITY.model_copy(update={"unit": CAPACITY.unit.model_validate(unit)}))
    assert (scale.text(value), scale.difference(value)) == (text, difference)


@pytest.mark.parametrize(
    ("bias", "lean"),
    [
        (None, ""),
        (0.012, "predicted above actual"),
        (-0.012, "predicted below actual"),
        (0.0003, "neither above nor below actual"),
        (-0.0003, "neither above nor below actual"),
    ],
)
def test_a_bias_that_rounds_to_nothing_leans_to_neither_side(bias, lean):
    assert Scale(CAPACITY).lean(bias, 1) == lean


def test_of_an_event_it_is_told_whether_it_came():
    scale = Scale(CAPACITY.model_copy(update={"kind": PredictionKind.BINARY}))
    assert [scale.actual(value) for value in (1.0, 0.0, None)] == ["yes", "no", None]
    assert Scale(CAPACITY).actual(1.0) == "100 %"


def test_words():
    assert [words(name) for name in ("KIND_OF_SHOP", "Größe", "post_office", "A-1")] == [
        "kind of shop", "Größe", "post office", "A-1",
    ]  # fmt: skip
    assert [many(noun) for noun in ("point", "delivery", "day", "box", "address")] == [
        "points", "deliveries", "days", "boxes", "addresses",
    ]  # fmt: skip


def test_classes_of_one_contract_have_no_unit():
    assert Scale(FAILURE).loss_name == "Log loss"
    assert predicted_by_actual(CAPACITY, [Cell(1, 1, 0.5, 0.5)]).figure["data"][0]["x"] == [0.5]


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


def test_the_data_of_a_page_of_predictions_is_small():
    """Whatever is predicted: as many places and cells as are read, names and numbers that repeat nothing."""
    chance = random.Random(8)
    names = (
        "Market",
        "Station",
        "Corner",
        "Park",
        "North",
        "South",
        "Hall",
        "Bridge",
        "Garden",
        "Mill",
        "Tower",
    )
    places = [
        PlacedRow(
            (f"P_{chance.randrange(10**6):06d}",),
            f"{chance.choice(names)} {chance.choice(names)} {chance.randrange(1000)}",
            52 + chance.random(),
            13 + chance.random(),
            chance.random(),
            chance.random(),
            float(chance.randrange(10, 400)),
            {"KIND": chance.choice(["locker", "shop", "kiosk"])},
        )
        for _ in range(MOST_PLACES)
    ]
    cells = [
        Cell(chance.randrange(1, 99), 1.0, (x + chance.random()) / 46, (y + chance.random()) / 46)
        for x in range(46)
        for y in range(46)
    ]
    evaluations = rows.evaluations("pudo", "DEV").items
    drawn = [
        place_map(CAPACITY, places, Totals(9000, placed=9000)),
        predicted_by_actual(CAPACITY, cells),
        calibration_of_numbers(CAPACITY, cells),
        over_time(CAPACITY, evaluations),
        error_over_time(CAPACITY, evaluations),
        entity_history(rows.history("pudo", "DEV", ("PUDO_0001",))),
        *errors_by(CAPACITY, rows.diagnostics("pudo", "DEV").parts),
    ]
    sent = [gzip.compress(json.dumps(chart.figure, separators=(",", ":")).encode(), 6) for chart in drawn]
    assert sum(map(len, sent)) <= 60_000


@pytest.mark.parametrize(("extent", "digits"), [(0.5, 3), (100.0, 1), (7e6, 0), (0.0, 2), (1e-9, 12)])
def test_numbers_are_no_finer_than_a_mark_can_be_placed(extent, digits):
    value = 0.123456789012345
    assert near([value], extent) == [round(value, digits)]
    assert not extent or digits == 12 or 0.5 * 10**-digits <= max(extent / 500, 0.5)


def test_tasks_whose_order_nobody_told_stand_in_rows():
    tasks = [Task(f"T_{n}", "task") for n in range(7)]
    drawing = draw(tasks)
    assert [(box.task.name, box.x, box.y) for box in drawing.boxes] == [
        (f"T_{n}", 12.0 + n % 5 * 198, 12.0 + n // 5 * 74) for n in range(7)
    ]
    assert (drawing.arrows, drawing.width, drawing.height) == ((), 992, 150)
