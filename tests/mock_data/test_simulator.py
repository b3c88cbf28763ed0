"""The simulator moves in order, refuses everything else, and continues exactly what the seed began."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mock_data import MockDataError, NetworkConfig
from mock_data.errors import (
    ConcurrentChange,
    DayOutOfOrder,
    EveningAlreadyDone,
    EveningOpen,
    GenerationFailed,
    MorningAlreadyDone,
    MorningMissing,
    NotSeeded,
)
from mock_data.loader import Loader
from mock_data.seeding import seed
from mock_data.simulator import LogEntry, PhaseReport, Simulator, Status

Rows = dict[str, list[tuple[Any, ...]]]
Stored = Callable[[], Rows]
Expected = Callable[..., Rows]

LAST, NEXT, LATER = date(2024, 7, 5), date(2024, 7, 6), date(2024, 7, 7)


@pytest.fixture
def simulator(connection: Any, schema: str, config: NetworkConfig) -> Simulator:
    """A simulator at the end of its seed."""
    seed(connection, schema, config)
    return Simulator(connection, schema)


def _counts(rows: Rows) -> dict[str, int]:
    return {name: len(each) for name, each in rows.items()}


def test_nothing_is_seeded_in_an_empty_schema(connection: Any, schema: str) -> None:
    simulator = Simulator(connection, schema)
    assert simulator.status() == Status(seeded=False)
    for call in (simulator.morning, simulator.evening, simulator.reset, simulator.log):
        with pytest.raises(NotSeeded):
            call()
    with pytest.raises(NotSeeded):
        simulator.reset(keep_seed=False)


def test_goes_on_as_a_longer_seed_would(
    simulator: Simulator, config: NetworkConfig, stored: Stored, expected: Expected
) -> None:
    seeded = expected(config)
    assert simulator.status() == Status(
        seeded=True,
        config=config,
        first_day=date(2024, 7, 1),
        last_seeded_day=LAST,
        last_morning=LAST,
        last_evening=LAST,
        next_phase="MORNING",
        next_day=NEXT,
        row_counts=_counts(seeded),
    )
    morning = simulator.morning()
    state = simulator.status()
    assert (morning.day, morning.phase) == (NEXT, "MORNING")
    assert (state.last_morning, state.last_evening, state.next_phase, state.next_day) == (
        NEXT,
        LAST,
        "EVENING",
        NEXT,
    )
    evening = simulator.evening(NEXT)
    simulator.morning(LATER)
    simulator.evening()
    state = simulator.status()
    assert (state.last_morning, state.last_evening, state.next_phase) == (LATER, LATER, "MORNING")

    longer, found = expected(config, 7), stored()
    log = found.pop("DATA_GENERATION_LOG")
    assert [row[:4] for row in log] == [row[:4] for row in longer.pop("DATA_GENERATION_LOG")]
    assert found == longer
    assert [(entry.day, entry.phase) for entry in simulator.log(NEXT)] == [
        (NEXT, "MORNING"),
        (NEXT, "EVENING"),
        (LATER, "MORNING"),
        (LATER, "EVENING"),
    ]
    assert len(simulator.log()) == 14
    assert simulator.log(NEXT)[:2] == [_entry(morning), _entry(evening)]

    simulator.reset()
    assert stored() == seeded
    assert simulator.morning() == morning


def _entry(report: PhaseReport) -> LogEntry:
    notes = ", ".join(f"{table} {count}" for table, count in report.rows.items())
    return LogEntry(report.day, report.phase, sum(report.rows.values()), "COMPLETED", notes)


@pytest.mark.parametrize(
    ("done", "phase", "day", "error"),
    [
        ([], "morning", LAST, MorningAlreadyDone),
        ([], "morning", date(2024, 6, 30), DayOutOfOrder),
        ([], "morning", LATER, DayOutOfOrder),
        ([], "evening", LAST, EveningAlreadyDone),
        ([], "evening", date(2024, 6, 30), DayOutOfOrder),
        ([], "evening", NEXT, MorningMissing),
        ([], "evening", None, MorningMissing),
        (["morning"], "morning", NEXT, MorningAlreadyDone),
        (["morning"], "morning", LATER, EveningOpen),
        (["morning"], "morning", None, EveningOpen),
        (["morning"], "evening", LATER, MorningMissing),
        (["morning", "evening"], "evening", NEXT, EveningAlreadyDone),
        (["morning", "evening"], "evening", LATER, MorningMissing),
    ],
)
def test_refuses_and_changes_nothing(
    simulator: Simulator,
    stored: Stored,
    done: list[str],
    phase: str,
    day: date | None,
    error: type[MockDataError],
) -> None:
    for each in done:
        getattr(simulator, each)()
    before = stored()
    with pytest.raises(error) as refused:
        getattr(simulator, phase)(day)
    assert refused.value.message
    assert stored() == before


def test_only_one_of_two_that_act_on_the_same_state(
    simulator: Simulator,
    account: Any,
    schema: str,
    config: NetworkConfig,
    stored: Stored,
    expected: Expected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staged = Loader.staged

    def overtaken(self: Loader, files: Any) -> Any:
        monkeypatch.setattr(Loader, "staged", staged)
        with account.connect() as other:
            Simulator(other, schema).morning()
        return staged(self, files)

    monkeypatch.setattr(Loader, "staged", overtaken)
    with pytest.raises(ConcurrentChange):
        simulator.morning()
    rows, found = expected(config, 6), stored()
    assert found["PARCELS"] == rows["PARCELS"]
    assert found["DELIVERY_ATTEMPTS"] == expected(config)["DELIVERY_ATTEMPTS"]
    simulator.evening()
    assert stored()["PUDO_OCCUPANCY"] == rows["PUDO_OCCUPANCY"]


def test_reset_to_nothing(connection: Any, schema: str, simulator: Simulator, config: NetworkConfig) -> None:
    simulator.morning()
    assert simulator.reset(keep_seed=False) == Status(seeded=False)
    assert not seed(connection, schema, config).already_seeded


def test_an_open_change_is_waited_for_no_longer_than_the_lock_may_take(
    account: Any, connection: Any, schema: str, simulator: Simulator
) -> None:
    statements = Loader(connection, schema).statements
    with account.connect() as other:
        holder = Loader(other, schema)
        with holder.transaction():
            holder.run(statements.advance(holder.seeded_with()[1]))
            connection.cursor().execute("ALTER SESSION SET LOCK_TIMEOUT = 1")
            for change in (simulator.morning, simulator.reset, lambda: simulator.reset(keep_seed=False)):
                with pytest.raises(ConcurrentChange, match="still open"):
                    change()


def test_the_generator_stays_out_of_the_process_that_asks_for_a_day(account: Any, schema: str) -> None:
    """Its libraries would never leave the service again."""
    program = f"""
import json, sys
import snowflake.connector
from mock_data import NetworkConfig, Simulator, seed
address = json.loads({json.dumps(json.dumps(account.address))})
keys = ("account", "user", "password", "host", "port")
chosen = {{key: address[key] for key in keys}}
with snowflake.connector.connect(**chosen, protocol="http", warehouse="WH") as connection:
    seed(connection, {schema!r}, NetworkConfig(n_pudos=10, n_days=5, parcels_per_day=60, seed=5))
    simulator = Simulator(connection, {schema!r})
    print(simulator.morning().phase, simulator.evening().phase)
    print(sorted(name for name in ("faker", "mock_data.network", "mock_data.rows") if name in sys.modules))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "MORNING EVENING\n[]\n"


def test_a_day_whose_rows_cannot_be_made_is_not_in(
    simulator: Simulator, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored()
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/bin/false")
        with pytest.raises(GenerationFailed, match="ended with 1"):
            simulator.morning()
    assert stored() == before
    assert simulator.morning().day == NEXT
