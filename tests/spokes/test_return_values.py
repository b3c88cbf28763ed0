"""What a task returns fits into Snowflake's 10 kB, and whoever is cut says of how many."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke_kit.errors import ConfigError
from spoke_kit.pipeline.runs import days_of_run
from spoke_kit.tasks import LONGEST_RETURN, SHORT_LIST, TaskContext, fitting

DAYS = [(date(2023, 1, 1) + timedelta(days=number)).isoformat() for number in range(1000)]


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2000)), st.booleans())
def test_a_long_list_is_cut_with_its_count(lengths: dict[str, int], nested: bool) -> None:
    lists: dict[str, Any] = {
        name: [f"version {number}" for number in range(n)] for name, n in lengths.items()
    }
    value = {"in": lists, "n": 1} if nested else {**lists, "n": 1}
    text = fitting(value)
    assert len(text.encode()) <= LONGEST_RETURN
    kept = json.loads(text)
    if len(json.dumps(value).encode()) <= LONGEST_RETURN:
        assert kept == value
        return
    short: dict[str, Any] = {name: items[:SHORT_LIST] for name, items in lists.items()}
    short |= {f"{name}_count": len(items) for name, items in lists.items() if len(items) > SHORT_LIST}
    assert kept == ({"in": short, "n": 1} if nested else {**short, "n": 1})


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ConfigError, match="Snowflake takes 10000"):
        fitting({"text": "ä" * 6000})


class After(TaskContext):
    """A task after those of AFTER."""

    def result_of(self, task: str) -> dict[str, Any]:
        return dict(json.loads(AFTER[task]))


AFTER = {"LONG": fitting({"days": DAYS}), "ONE": fitting({"days": DAYS[:1]}), "NONE": fitting({"days": []})}


@pytest.mark.parametrize(
    ("task", "asked", "found"),
    [("LONG", DAYS[::-1], DAYS), ("ONE", None, DAYS[:1]), ("ONE", DAYS[:1], DAYS[:1]), ("NONE", None, [])],
)
def test_the_tasks_after_it_know_every_day(task: str, asked: Any, found: list[str]) -> None:
    parameters = {"days": asked} if asked else {}
    names: Any = None
    context = After(None, names, names, "run", "INFERENCE_DAG", parameters)
    assert days_of_run(context, task) == found
