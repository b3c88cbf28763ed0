"""The gateway against the embedded account itself: it starts, is watched, and its SQL is recorded."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.core.errors import SnowflakeFailed
from services.core.settings import AccountSettings
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    folder = tmp_path_factory.mktemp("account")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    account.address()
    yield account
    account.stop()
    assert not (folder / "account.ready.json").exists()


@pytest.fixture
def source(account: EmbeddedAccount) -> Iterator[ConnectionSource]:
    source = ConnectionSource(AccountSettings(), account)
    yield source
    source.close()


def test_rows_come_as_dicts_with_bound_values(source: ConnectionSource) -> None:
    rows = source.query("SELECT %s AS n, %s AS word", (7, "it's"))
    assert rows == [{"N": 7, "WORD": "it's"}]


def test_connections_for_reading_are_used_again(source: ConnectionSource) -> None:
    with source.reading() as first:
        pass
    with source.reading() as second, source.reading() as third:
        assert second is first
        assert third is not first
    with source.reading(role="PUBLIC") as other:
        assert other not in (first, second, third)


def test_statements_are_recorded_with_their_time(source: ConnectionSource) -> None:
    seen: list[tuple[Any, ...]] = []
    with source.open(recorder=lambda *row: seen.append(row), tag={"operation": "o-1"}) as connection:
        connection.cursor().execute("SELECT 1 UNION ALL SELECT 2").fetchall()
        tag = connection.cursor().execute("SHOW PARAMETERS LIKE 'QUERY_TAG'").fetchall()
        with pytest.raises(Exception, match="NO_SUCH_TABLE"):
            connection.cursor().execute("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.NO_SUCH_TABLE")
    assert [row[0] for row in seen] == [
        "SELECT 1 UNION ALL SELECT 2",
        "SHOW PARAMETERS LIKE 'QUERY_TAG'",
        "SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.NO_SUCH_TABLE",
    ]
    _, query_id, seconds, rows, error = seen[0]
    assert (rows, error) == (2, None)
    assert query_id
    assert 0 < seconds < 60
    assert seen[2][4] is not None
    assert json.loads(tag[0][1]) == {"app": "spokehub", "operation": "o-1"}


def test_a_snowpark_session_is_recorded_too(source: ConnectionSource) -> None:
    seen: list[str] = []
    with source.session(recorder=lambda text, *_: seen.append(text)) as session:
        assert session.sql("SELECT 41 + 1 AS N").collect()[0]["N"] == 42
    assert any("41 + 1" in text for text in seen)


def test_a_refusal_is_translated(source: ConnectionSource) -> None:
    source.query("CREATE DATABASE IF NOT EXISTS HUB")
    with pytest.raises(SnowflakeFailed, match="NO_SUCH_TABLE") as caught:
        source.query("SELECT * FROM HUB.PUBLIC.NO_SUCH_TABLE")
    assert set(caught.value.detail) == {"errno", "sqlstate", "query_id"}
    assert caught.value.detail["errno"] == 2003


def test_a_warehouse_that_is_made_later_is_found(source: ConnectionSource) -> None:
    options = {"warehouse": "LATER_WH"}
    with pytest.raises(SnowflakeFailed, match="No active warehouse"):
        source.query("SELECT COUNT(*) AS N FROM SNOWFLAKE.ACCOUNT_USAGE.TASK_HISTORY", **options)
    source.query("CREATE WAREHOUSE LATER_WH WITH WAREHOUSE_SIZE = 'XSMALL'")
    rows = source.query("SELECT COUNT(*) AS N FROM SNOWFLAKE.ACCOUNT_USAGE.TASK_HISTORY", **options)
    assert list(rows[0]) == ["N"]


def test_connections_follow_an_account_that_was_killed(
    account: EmbeddedAccount, source: ConnectionSource
) -> None:
    source.ping()
    before = account.address()
    os.kill(before.pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while not account.ready or account.address().pid == before.pid:
        assert time.monotonic() < end, "it did not come back"
        time.sleep(0.05)
    # At the first try: the connection at hand led to the one that was killed.
    assert source.query("SELECT 1 AS N") == [{"N": 1}]


def test_an_account_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "account").write_text("not a directory")
    account = EmbeddedAccount(tmp_path / "account" / "below", tmp_path / "logs")
    with pytest.raises(OSError, match="Not a directory"):
        account.start()
