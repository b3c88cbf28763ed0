"""The file of the history: what is committed is there, whole, and what is not is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.core.errors import Unavailable
from services.core.revision import Revision
from services.history import History

MARK = "INSERT INTO sync_marks VALUES (?, TIMESTAMP '2025-07-01', TIMESTAMP '2025-07-01', NULL)"


def test_what_is_committed_outlives_the_process(tmp_path: Path) -> None:
    revision = Revision()
    history = History(tmp_path / "history.duckdb", revision)
    history.open()
    before = revision.value
    with history.write() as db:
        db.execute(MARK, ["tasks"])
    assert revision.value > before
    with pytest.raises(ZeroDivisionError):
        _mark_and_fail(history)
    history.close()
    with pytest.raises(Unavailable):
        history.rows("SELECT 1")
    history.open()
    assert history.rows("SELECT source FROM sync_marks") == [{"source": "tasks"}]
    history.close()


def _mark_and_fail(history: History) -> None:
    with history.write() as db:
        db.execute(MARK, ["queries"])
        raise ZeroDivisionError


def test_a_file_that_lacks_a_table_is_given_it(tmp_path: Path) -> None:
    history = History(tmp_path / "history.duckdb")
    history.open()
    with history.write() as db:
        db.execute("DROP TABLE sync_log")
        db.execute(MARK, ["tasks"])
    history.close()
    history.open()
    assert history.rows("SELECT count(*) AS n FROM sync_log") == [{"n": 0}]
    assert history.rows("SELECT source FROM sync_marks") == [{"source": "tasks"}]
    history.close()
