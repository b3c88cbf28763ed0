"""The synthetic network day by day: each morning and evening is one transaction, in order and only once."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from snowflake.connector import SnowflakeConnection

from mock_data import files
from mock_data.config import NetworkConfig
from mock_data.errors import (
    ConcurrentChange,
    DayOutOfOrder,
    EveningAlreadyDone,
    EveningOpen,
    MorningAlreadyDone,
    MorningMissing,
    NotSeeded,
)
from mock_data.loader import Loader
from mock_data.seeding import clear
from mock_data.tables import DAY_COLUMNS, EVENING, MORNING

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Status:
    """Where the simulation stands; all days None and no rows before the seed."""

    seeded: bool
    config: NetworkConfig | None = None
    first_day: date | None = None
    last_seeded_day: date | None = None
    last_morning: date | None = None
    last_evening: date | None = None
    next_phase: str | None = None
    next_day: date | None = None
    row_counts: dict[str, int] | None = None


@dataclass(frozen=True)
class LogEntry:
    """One phase of one day, as logged."""

    day: date
    phase: str
    records_added: int
    status: str
    notes: str | None


@dataclass(frozen=True)
class PhaseReport:
    """What a morning or an evening added; `rows` by table."""

    day: date
    phase: str
    rows: dict[str, int]


@dataclass(frozen=True)
class _State:
    config: NetworkConfig
    revision: int
    last_morning: date
    last_evening: date


class Simulator:
    """Moves the network of one schema ("DB"."SCHEMA") through its days, on one connection."""

    def __init__(self, conn: SnowflakeConnection, schema: str) -> None:
        self._loader = Loader(conn, schema)

    def status(self) -> Status:
        """Configuration, days done, what comes next, and row counts."""
        known = self._loader.seeded_with()
        if known is None:
            return Status(seeded=False)
        state = self._state()
        counts = {name: int(count) for name, count in self._loader.rows(self._loader.statements.count_rows())}
        evening_next = state.last_morning > state.last_evening
        return Status(
            seeded=True,
            config=state.config,
            first_day=state.config.start_date,
            last_seeded_day=state.config.last_date,
            last_morning=state.last_morning,
            last_evening=state.last_evening,
            next_phase=EVENING if evening_next else MORNING,
            next_day=state.last_morning if evening_next else state.last_evening + _DAY,
            row_counts=counts,
        )

    def log(self, since: date | None = None) -> list[LogEntry]:
        """The logged phases from `since` on (all by default), in order. Raises NotSeeded."""
        first = since or self._state().config.start_date
        return [LogEntry(*row) for row in self._loader.rows(self._loader.statements.select_log(first))]

    def morning(self, day: date | None = None) -> PhaseReport:
        """Add the parcels announced for a day (the next one by default).

        Raises NotSeeded, MorningAlreadyDone, EveningOpen, DayOutOfOrder, GenerationFailed or ConcurrentChange,
        having changed nothing.
        """
        state = self._state()
        day = day or (state.last_morning + _DAY)
        _check_morning(state, day)
        return self._add(state, day, MORNING)

    def evening(self, day: date | None = None) -> PhaseReport:
        """Add the delivery attempts made on a day (by default the one whose morning is done) and its occupancy.

        Raises NotSeeded, EveningAlreadyDone, MorningMissing, DayOutOfOrder, GenerationFailed or
        ConcurrentChange, having changed nothing.
        """
        state = self._state()
        day = day or (state.last_evening + _DAY)
        _check_evening(state, day)
        return self._add(state, day, EVENING)

    def reset(self, keep_seed: bool = True) -> Status:
        """Back to the end of the seed, or to empty tables. Raises NotSeeded when nothing is seeded."""
        if not keep_seed:
            if self._loader.seeded_with() is None:
                raise NotSeeded("There is nothing to reset.", "Seed the network first.")
            clear(self._loader)
            return self.status()
        state = self._state()
        with self._loader.transaction():
            self._take_turn(state)
            for table in DAY_COLUMNS:
                self._loader.run(self._loader.statements.delete_after(table, state.config.last_date))
        return self.status()

    def _state(self) -> _State:
        known = self._loader.seeded_with()
        if known is None:
            raise NotSeeded("The schema holds no network.", "Seed it first.")
        last = dict(self._loader.rows(self._loader.statements.last_phases()))
        return _State(*known, last_morning=last[MORNING], last_evening=last[EVENING])

    def _add(self, state: _State, day: date, phase: str) -> PhaseReport:
        loader = self._loader
        with TemporaryDirectory(prefix="mock_data_") as folder:
            made = files.write_phase(state.config, day, phase, Path(folder))
            paths = {table: Path(path) for table, path in made.paths.items()}
            with loader.staged(paths) as stage, loader.transaction():
                self._take_turn(state)
                for table in paths:
                    loader.copy(table, stage, made.rows[table])
                notes = ", ".join(f"{table} {count}" for table, count in made.rows.items())
                loader.run(loader.statements.insert_log(day, phase, sum(made.rows.values()), notes))
        return PhaseReport(day, phase, made.rows)

    def _take_turn(self, state: _State) -> None:
        """Locks the row until the transaction ends; whoever waited for it finds another revision."""
        changed = self._loader.run(self._loader.statements.advance(state.revision))
        if changed != 1:
            raise ConcurrentChange(
                "The simulation was moved by somebody else.", "Read its status and try again."
            )


def _check_morning(state: _State, day: date) -> None:
    if day <= state.last_morning:
        if day < state.config.start_date:
            raise DayOutOfOrder(f"{day} lies before the network's first day, {state.config.start_date}.")
        raise MorningAlreadyDone(
            f"The morning of {day} is done.", f"The next is that of {state.last_morning + _DAY}."
        )
    if state.last_evening < state.last_morning:
        raise EveningOpen(
            f"The evening of {state.last_morning} is still open.", "Run it before the next morning."
        )
    if day != state.last_morning + _DAY:
        raise DayOutOfOrder(
            f"The morning of {day} would leave a gap.", f"The next is that of {state.last_morning + _DAY}."
        )


def _check_evening(state: _State, day: date) -> None:
    if day <= state.last_evening:
        if day < state.config.start_date:
            raise DayOutOfOrder(f"{day} lies before the network's first day, {state.config.start_date}.")
        raise EveningAlreadyDone(
            f"The evening of {day} is done.", f"The last is that of {state.last_evening}."
        )
    if day > state.last_morning:
        raise MorningMissing(f"The morning of {day} has not been run.", f"Run the morning of {day} first.")
