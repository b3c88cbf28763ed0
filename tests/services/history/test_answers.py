"""Kept answers are those of the history, whatever is written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filling import fill, task

from services.core.errors import Unavailable
from services.history import History
from services.history.answers import MOST, KeptAnswers

COUNT = "SELECT count(*) FROM graph_runs WHERE graph = ?"


def test_an_answer_is_kept_until_something_is_written(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(history, [task("G")])
    kept = KeptAnswers(history)
    assert kept.tuples(COUNT, ["G"]) == [(1,)]
    with monkeypatch.context() as patch:
        patch.setattr(history, "read", lambda: pytest.fail("it is kept"))
        assert kept.tuples(COUNT, ["G"]) == [(1,)]
    assert kept.tuples(COUNT, ["H"]) == [(0,)]
    fill(history, [task("G", run="2", ago=10)])
    assert kept.tuples(COUNT, ["G"]) == [(2,)]


def test_what_is_read_while_something_is_written_is_not_kept(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(history, [task("G")])
    kept, read = KeptAnswers(history), history.read

    @contextmanager
    def slowly() -> Iterator[object]:
        with read() as db:
            yield db
        monkeypatch.undo()
        fill(history, [task("G", run="2", ago=10)])

    monkeypatch.setattr(history, "read", slowly)
    assert kept.tuples(COUNT, ["G"]) == [(1,)]
    assert kept.tuples(COUNT, ["G"]) == [(2,)]


def test_those_asked_for_last_are_kept(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptAnswers(history)
    for number in range(MOST + 5):
        kept.tuples(COUNT, [str(number)])
        kept.tuples(COUNT, ["0"])
    assert len(kept._found) == MOST
    monkeypatch.setattr(history, "read", lambda: pytest.fail("it is kept"))
    assert kept.tuples(COUNT, ["0"]) == [(0,)]


def test_too_little_memory_is_a_reason_to_come_again(tmp_path: Path) -> None:
    history = History(tmp_path / "history.duckdb", memory="8MB", indexed=False)
    history.open()
    with pytest.raises(Unavailable, match="asked too much at once"):
        history.rows("SELECT list(i) FROM range(10_000_000) AS t(i)")
    assert history.rows("SELECT 1 AS one") == [{"one": 1}]
    history.close()
