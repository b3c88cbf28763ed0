"""The proxy that makes an account slow or failing, before a real one."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from services.core.settings import read_settings
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import Address, EmbeddedAccount
from tests.account.conftest import AccountServer
from tests.account.fault_proxy import FaultProxy


@pytest.fixture
def proxy(account_server: AccountServer) -> Iterator[FaultProxy]:
    known = account_server.connection
    with FaultProxy(lambda: (known["host"], known["port"])) as proxy:
        yield proxy


@pytest.fixture
def cursor(account_server: AccountServer, proxy: FaultProxy) -> Iterator[Any]:
    parameters = {**account_server.parameters, "port": proxy.port, "network_timeout": 1}
    with snowflake.connector.connect(**parameters) as connection, connection.cursor() as cursor:
        yield cursor


def ask(proxy: FaultProxy) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    try:
        connection.request("POST", "/session/v1/login-request", b"{}")
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_passes_statements_on_and_counts_them(proxy: FaultProxy, cursor: Any) -> None:
    del proxy.statements[:]
    assert cursor.execute("select 40 + 2").fetchall() == [(42,)]
    assert cursor.execute("select 1 as A union all select 2 order by A").fetchall() == [(1,), (2,)]
    assert proxy.statements == ["select 40 + 2", "select 1 as A union all select 2 order by A"]


def test_a_slow_account(proxy: FaultProxy, cursor: Any) -> None:
    with proxy.slow(0.3):
        begun = time.monotonic()
        assert cursor.execute("select 1").fetchall() == [(1,)]
        assert time.monotonic() - begun >= 0.3
    assert proxy.fault.delay == 0


def test_a_failing_account_and_one_that_is_away(proxy: FaultProxy, cursor: Any) -> None:
    with proxy.failing(503):
        assert ask(proxy) == 503
    with proxy.away(), pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(proxy)
    assert ask(proxy) == 200
    assert cursor.execute("select 'back'").fetchall() == [("back",)]


def test_an_answer_is_lost_of_what_was_executed(
    proxy: FaultProxy, cursor: Any, run: Any, database: str
) -> None:
    cursor.execute(f"create table {database}.S.T (A int)")
    with proxy.losing_answers(), pytest.raises(snowflake.connector.errors.Error):
        cursor.execute(f"create or replace table {database}.S.T (A int, B int)")
    assert [row[0] for row in run("describe table T")] == ["A", "B"]


def test_an_account_that_has_gone(proxy: FaultProxy) -> None:
    proxy.target = lambda: ("127.0.0.1", 9)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(proxy)


def test_it_stands_before_the_account_that_a_service_started(
    account_server: AccountServer, tmp_path: Path
) -> None:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path)})
    known = account_server.connection
    embedded = EmbeddedAccount.of(settings)
    assert embedded is not None
    # As if it had started the account that runs already.
    embedded._address = Address(**{name: known[name] for name in Address.__slots__})
    with FaultProxy(lambda: (known["host"], known["port"])) as proxy, proxy.before(embedded):
        source = ConnectionSource(settings.account, embedded)
        assert source.query("select 1 as N") == [{"N": 1}]
        assert "select 1 as N" in proxy.statements
        source.close()
    assert embedded.address().port == known["port"]


def test_an_account_that_fails_half_of_the_time(proxy: FaultProxy) -> None:
    with proxy.failing_half(503):
        assert Counter(ask(proxy) for _ in range(6)) == {503: 3, 200: 3}


def test_an_answer_that_is_cut(proxy: FaultProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    with proxy.cutting():
        connection.request("POST", "/session/v1/login-request", b"{}")
        answer = connection.getresponse()
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    connection.close()
