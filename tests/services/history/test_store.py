"""The file of the history: what is committed is there, whole, and what is not is not."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
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


def test_who_read_only_the_first_row_holds_no_copy_up(tmp_path: Path) -> None:
    history = History(tmp_path / "history.duckdb")
    history.open()

    def read(query: str) -> object:
        with history.read() as db:
            return db.execute(query).fetchone()

    # Each thread has a cursor, and lives on.
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        assert one.submit(read, "SELECT max(token) FROM runs_token").result() is not None
        with pytest.raises(duckdb.CatalogException):
            other.submit(read, "SELECT 1 FROM nothing_there").result()
        with history.write() as db:
            db.execute(MARK, ["tasks"])
        history.wait_for_index()
        with history.still() as commits:
            assert commits == history.commits
    history.close()


def test_what_takes_anothers_place_is_read_at_once(tmp_path: Path) -> None:
    """Whoever reads meanwhile is answered by the one or by the other, and never that nothing is open."""
    history = History(tmp_path / "history.duckdb")
    history.open()
    copies = []
    for number in range(20):
        copies.append(tmp_path / f"copy-{number}.duckdb")
        with history.still():
            subprocess.run(["cp", str(history.path), str(copies[-1])], check=True)
    failed: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                history.rows("SELECT count(*) FROM graph_runs")
        except BaseException as error:
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for one in readers:
        one.start()
    for copy in copies:
        history.open_copy(copy)
    stop.set()
    for one in readers:
        one.join()
    assert failed == []
    history.close()


def test_what_was_written_is_not_kept_in_memory(tmp_path: Path) -> None:
    """Neither by the log, which is read into it, nor by what a thread worked with that has ended."""
    history = History(tmp_path / "history.duckdb", indexed=False)
    history.open()
    used = (
        "SELECT coalesce(sum(memory_usage_bytes + temporary_storage_bytes) // 1_000_000, 0) AS used"
        " FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'"
    )
    assert history.rows(used)[0]["used"] <= 1

    def write() -> None:
        with history.write() as db:
            db.execute(
                "CREATE TEMP TABLE mine AS SELECT repeat(md5(range::VARCHAR), 4) AS text FROM range(60_000)"
            )
            db.execute("CREATE TABLE many AS FROM mine")

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    log = tmp_path / "history.duckdb.wal"
    assert (log.stat().st_size > 1_000_000, history.rows(used)[0]["used"] > 12) == (True, True)
    history.trim()
    assert not log.exists() or not log.stat().st_size
    assert history.rows(used)[0]["used"] <= 1
    assert history.rows("SELECT count(*) AS found FROM many") == [{"found": 60_000}]
    history.close()


def test_memory_is_given_back_while_nobody_reads(tmp_path: Path) -> None:
    history = History(tmp_path / "history.duckdb", indexed=False)
    history.open()
    with history.write() as db:
        db.execute("CREATE TABLE many AS SELECT repeat(md5(range::VARCHAR), 4) AS text FROM range(1_000_000)")
    history.compact()
    used = "SELECT sum(memory_usage_bytes) // 1_000_000 AS used FROM duckdb_memory()"
    scan = "SELECT count(DISTINCT left(text, 2)) AS found FROM many"
    limit = "SELECT current_setting('memory_limit') AS it"
    before = history.rows(limit)
    assert history.rows(scan) == [{"found": 256}]
    with history.cursor() as own:
        own.execute("SELECT text FROM many")
        first = own.fetchmany(1000)
        history.trim()
        assert history.rows(used)[0]["used"] > 40
        assert len(first) + len(own.fetchall()) == 1_000_000
    history.trim()
    assert history.rows(used)[0]["used"] <= 9
    assert history.rows(limit) == before
    assert history.rows(scan) == [{"found": 256}]
    history.close()
    history.trim()
