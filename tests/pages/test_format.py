"""One kind of value, one way of writing it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from app.pages.format import (
    NOTHING,
    day,
    duration,
    middle,
    moment,
    number,
    path,
    percent,
    plural,
    points,
    task_name,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0421, "42 ms"),
        (3.21, "3.2 s"),
        (42.4, "42 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (90000, "1 d 1 h"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds).replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "0.0 pp"), (-0.0004, "0.0 pp"), (0.051, "+5.1 pp"), (-0.2, "\u221220.0 pp")]
)
def test_points_have_a_sign_and_no_negative_zero(value, text):
    assert points(value, 1, sign=True).replace("\u202f", " ") == text


def test_nothing_is_a_dash():
    assert [number(None), percent(None), points(None), duration(None), moment(None), day(None)] == [
        NOTHING
    ] * 6


def test_numbers():
    assert number(365000) == "365\u202f000"
    assert number(-1.5, 1) == "\u22121.5"
    assert percent(0.0712, 1) == "7.1\u202f%"
    assert day(date(2025, 7, 1)) == "Tue 01 Jul 2025"
    assert plural(1, "task") == "1 task"
    assert plural(2, "does", "do") == "2 do"


def test_moment_is_utc_until_the_browser_knows_better():
    value = datetime(2025, 7, 1, 8, 0, tzinfo=timezone(timedelta(hours=2)))
    assert str(moment(value, "time")) == (
        '<time datetime="2025-07-01T06:00:00.000Z" data-time="time" title="2025-07-01 06:00:00 UTC">06:00:00</time>'
    )
    assert moment(value) == moment(value.astimezone(UTC))


def test_long_names_are_cut_in_the_middle_and_escaped():
    assert middle("short") == "short"
    assert str(middle("<b>" + "x" * 30, 10)) == f'<span title="&lt;b&gt;{"x" * 30}">&lt;b&gt;x…xxxxx</span>'
    assert str(middle("A_<b>", breaks=True)) == "A_<wbr>&lt;b&gt;"
    assert str(middle("A_B_C_D_E", 5, breaks=True)) == '<span title="A_B_C_D_E">A_<wbr>…_<wbr>E</span>'


def test_addresses_are_quoted():
    assert path("/spokes/{}/x", "a/b c", environment="DEV", day=None) == "/spokes/a=2Fb%20c/x?environment=DEV"


def test_task_names_leave_their_graph_out():
    assert task_name("TRAINING_DAG$TRAIN_MODEL") == "TRAIN_MODEL"
    assert task_name("TRAINING_DAG") == "TRAINING_DAG"
