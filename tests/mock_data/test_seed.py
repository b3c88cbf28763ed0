"""Seeding through the real connector: complete, once, and whole after a crash at any statement."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from mock_data import NetworkConfig
from mock_data.errors import ConcurrentChange, SeededDifferently, TablesNotEmpty
from mock_data.seeding import seed
from mock_data.simulator import Simulator
from mock_data.tables import DATA_GENERATION_CONFIG

Rows = dict[str, list[tuple[Any, ...]]]
Stored = Callable[[], Rows]
Expected = Callable[..., Rows]


def test_loads_every_row_once(
    connection: Any, schema: str, config: NetworkConfig, stored: Stored, expected: Expected
) -> None:
    messages: list[tuple[float, str]] = []
    report = seed(connection, schema, config, lambda fraction, message: messages.append((fraction, message)))
    rows = expected(config)
    assert stored() == rows
    assert report.rows == {name: len(each) for name, each in rows.items()}
    assert (report.already_seeded, report.first_day, report.last_day) == (
        False,
        date(2024, 7, 1),
        date(2024, 7, 5),
    )
    fractions = [fraction for fraction, _ in messages]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)

    again = seed(connection, schema, config)
    assert again == replace(report, already_seeded=True, seconds={})
    assert stored() == rows


def test_keeps_a_network_of_another_configuration(
    connection: Any, schema: str, config: NetworkConfig, stored: Stored, expected: Expected
) -> None:
    seed(connection, schema, config)
    before = stored()
    other = replace(config, seed=6)
    with pytest.raises(SeededDifferently) as refused:
        seed(connection, schema, other)
    assert refused.value.hint == "Seed with reset to replace it."
    assert stored() == before

    assert not seed(connection, schema, other, reset=True).already_seeded
    assert stored() == expected(other)
    assert Simulator(connection, schema).status().config == other


def test_keeps_rows_that_it_did_not_write(
    connection: Any, schema: str, config: NetworkConfig, stored: Stored, expected: Expected
) -> None:
    seed(connection, schema, config)
    connection.cursor().execute(f'DELETE FROM {schema}."{DATA_GENERATION_CONFIG}"')
    before = stored()
    with pytest.raises(TablesNotEmpty, match="PARCELS"):
        seed(connection, schema, config)
    assert stored() == before
    seed(connection, schema, config, reset=True)
    assert stored() == expected(config)


# Runs `what` with a client that dies just before its n-th statement.
_DYING_CLIENT = """
import os, signal, sys
import snowflake.connector
from datetime import date
from mock_data import NetworkConfig
from mock_data.loader import Loader
from mock_data.seeding import seed
from mock_data.simulator import Simulator

host, port, schema, limit, what = sys.argv[1:]
connection = snowflake.connector.connect(
    account="embedded", user="SPOKEHUB", password="x", host=host, port=int(port), protocol="http", warehouse="WH"
)
count = 0

def dying(method):
    def run(self, *arguments):
        global count
        if count == int(limit):
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        return method(self, *arguments)
    return run

Loader.run = dying(Loader.run)
Loader.copy = dying(Loader.copy)
if what == "seed":
    seed(connection, schema, NetworkConfig(n_pudos=10, n_days=5, parcels_per_day=60, seed=5))
else:
    getattr(Simulator(connection, schema), what)()
"""


def run_until(account: Any, schema: str, statements: int, what: str) -> bool:
    """Whether the client lived to its end."""
    address = account.address
    arguments = [address["host"], str(address["port"]), schema, str(statements), what]
    done = subprocess.run([sys.executable, "-c", _DYING_CLIENT, *arguments], check=False, env=os.environ)
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode == 0


def test_survives_a_client_killed_at_any_statement(
    account: Any, connection: Any, schema: str, config: NetworkConfig, stored: Stored, expected: Expected
) -> None:
    # While the tables are made, in the upload, in the transaction, and before its end.
    for statements in (3, 15, 19):
        assert not run_until(account, schema, statements, "seed")
    assert not Simulator(connection, schema).status().seeded
    # After its end, but before the client hears of it.
    assert not run_until(account, schema, 20, "seed")
    assert stored() == expected(config)
    assert seed(connection, schema, config).already_seeded


def test_a_phase_survives_the_end_of_client_and_account(
    own_account: Any, config: NetworkConfig, stored_in: Callable[..., Rows], expected: Expected
) -> None:
    """Killed together at any statement, as the processes of one group are."""
    schema = '"MOCK"."CRASH"'
    with own_account.connect() as connection:
        connection.cursor().execute("CREATE DATABASE MOCK")
        connection.cursor().execute("CREATE SCHEMA MOCK.CRASH")
        seed(connection, schema, config)
        before = stored_in(connection, schema)
    for what, points in (("morning", (5,)), ("evening", (6, 8))):
        for statements in points:
            assert not run_until(own_account, schema, statements, what)
            own_account.kill()
            own_account.start()
            with own_account.connect() as connection:
                assert stored_in(connection, schema) == before
        assert run_until(own_account, schema, 99, what)
        with own_account.connect() as connection:
            before = stored_in(connection, schema)
    rows = expected(config, 6)
    assert [row[:4] for row in before.pop("DATA_GENERATION_LOG")] == [
        row[:4] for row in rows.pop("DATA_GENERATION_LOG")
    ]
    assert before == rows


def test_a_transaction_left_open_is_reported(
    account: Any, connection: Any, schema: str, config: NetworkConfig, stored: Stored
) -> None:
    seed(connection, schema, config)
    before = stored()
    connection.cursor().execute("ALTER SESSION SET LOCK_TIMEOUT = 1")
    with account.connect() as other:
        other.cursor().execute("BEGIN")
        other.cursor().execute(f"UPDATE {schema}.DATA_GENERATION_CONFIG SET REVISION = REVISION + 1")
        with pytest.raises(ConcurrentChange):
            Simulator(connection, schema).morning()
        assert stored() == before
        other.cursor().execute("ROLLBACK")
    assert Simulator(connection, schema).morning().rows["PARCELS"] > 0
