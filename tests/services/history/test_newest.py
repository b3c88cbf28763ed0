"""The newest runs in memory are those of the file, whatever was written since they were read."""

from __future__ import annotations

from typing import Any

import pytest
from filling import fill, task

from services.history import History
from services.history.hot import DEPTH
from services.history.reading import RunReader
from services.history.types import GraphRunRow, Row

ASKED: tuple[tuple[str | None, ...], ...] = (
    (None, None, None),
    ("tides", "DEV", None),
    ("tides", "DEV", "G"),
    (None, None, "H"),
    ("tides", "PROD", None),
)


def fresh(history: History, limit: int) -> list[tuple[GraphRunRow, ...]]:
    """As the file has them."""
    history.newest.clear()
    return [RunReader(history).newest(*one, limit=limit) for one in ASKED]


def many(graph: str = "G", **more: Any) -> list[Row]:
    return [
        task(graph, run=f"{graph}{number:03d}", ago=9000 - number, **more) for number in range(DEPTH + 20)
    ]


@pytest.mark.parametrize("loaded", [True, False])
def test_memory_follows_what_is_written_without_a_query(
    history: History, loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(history, many())
    fill(history, many("H", schema="TIDES_PROD"))
    reader = RunReader(history)
    if loaded:
        reader.load()
    for one in ASKED:
        reader.newest(*one, limit=DEPTH)
    fill(
        history,
        [task("G", run="new", ago=1), task("H", run="other", ago=2), task("G", run="late", ago=90_000)],
    )
    fill(history, [task("G", run="G219", ago=9000 - 219, took=77)])
    with monkeypatch.context() as patch:
        patch.setattr(history, "rows", lambda *_: pytest.fail("memory has them"))
        found = [reader.newest(*one, limit=100) for one in ASKED]
    assert found == fresh(history, 100)
    assert [one.run_id for one in found[2][:2]] == ["new", "G219"]


def test_a_run_that_moves_out_of_sight_leaves_no_gap(history: History) -> None:
    fill(history, many())
    reader = RunReader(history)
    reader.newest("tides", "DEV", limit=DEPTH)
    fill(history, [task("G", run="G219", ago=90_000)])
    found = reader.newest("tides", "DEV", limit=DEPTH)
    assert (len(found), found) == (DEPTH, fresh(history, DEPTH)[1])


def test_what_is_read_before_a_commit_is_not_kept_after_it(history: History) -> None:
    fill(history, [task("G")])
    generation, before = history.newest.generation, RunReader(history).newest()
    fill(history, [task("G", run="2", ago=10)])
    history.newest.clear()
    history.newest.keep((None, None, None), before, generation)
    assert [one.run_id for one in RunReader(history).newest()] == ["2", "1001"]


def test_another_way_of_writing_is_noticed(history: History) -> None:
    fill(history, [task("G")])
    assert len(RunReader(history).newest()) == 1
    with history.write() as db:
        db.execute("DELETE FROM graph_runs")
    assert RunReader(history).newest() == ()
