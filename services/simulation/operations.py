"""``data.seed``, ``data.morning``, ``data.evening``, ``data.reset``: the synthetic network moves on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from services.core.errors import Conflict, Invalid
from services.core.hub import Declaration
from services.knowledge.types import SIMULATION
from services.operations import OperationKind, Params, Step, StepContext
from services.simulation.days import SeveralDays
from services.simulation.repository import EVENING, MORNING
from services.simulation.service import Simulation
from services.snowflake.applying import reader
from services.snowflake.identifiers import quote
from services.snowflake.inventory import Query
from services.snowflake.scope import Scope, shared_schema
from services.spokes.service import Spokes

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_QUEUE = "data"
LOCK_SECONDS = 10
# A text in such a column is of what a run is at work with.
_DAYS = ("DATE", "TIMESTAMP")


class Seed(Params):
    """``reset`` deletes the rows that are there; ``network`` changes fields of the default NetworkConfig."""

    reset: bool = False
    network: dict[str, int | float] = {}


class Day(Params):
    """The day; by default the one that comes next."""

    day: date | None = None


class Reset(Params):
    """Back to the end of the seed."""


@contextmanager
def refusals() -> Iterator[None]:
    """The generator's refusals as the service's errors."""
    from mock_data.errors import InvalidConfig, MockDataError

    try:
        yield
    except InvalidConfig as error:
        raise Invalid(error.message, hint=error.hint or None, code=error.code.lower()) from error
    except MockDataError as error:
        raise Conflict(error.message, hint=error.hint or None, code=error.code.lower()) from error


class SimulationOperations:
    """The kinds of operation of this domain."""

    def __init__(self, simulation: Simulation, spokes: Spokes, hub: Declaration) -> None:
        self._simulation = simulation
        self._spokes = spokes
        self._hub = hub

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``data.seed``, ``simulation.run``, ``data.morning``, ``data.evening``, ``data.reset``."""
        return (
            OperationKind(
                "data.seed",
                "Load the synthetic network",
                Seed,
                [Step("seed", "Generate and load", self.seed)],
                queue_key=lambda params: _QUEUE,
                validate=self.check_seed,
                touches=lambda params: (SIMULATION,),
            ),
            SeveralDays(self._simulation).kind(),
            self._kind("data.morning", MORNING, self._check_morning),
            self._kind("data.evening", EVENING, self._check_evening),
            OperationKind(
                "data.reset",
                "Go back to the end of the seed",
                Reset,
                [Step("reset", "Delete what came after", self.reset)],
                queue_key=lambda params: _QUEUE,
                validate=self._check_reset,
                touches=lambda params: self._simulation.touched(),
            ),
        )

    def check_seed(self, params: Seed) -> None:
        """Conflict 409 before the hub is applied."""
        self._spokes.require_hub()

    def seed(self, context: StepContext, params: Seed) -> dict[str, Any]:
        """Load the network; what is loaded already is left as it is."""
        import mock_data

        schema = self._schema()
        with _connection(context) as connection, refusals():
            # A reset that was interrupted has either deleted and loaded all, or nothing.
            config = mock_data.NetworkConfig(**params.network)  # type: ignore[arg-type]
            report = mock_data.seed(
                connection, schema, config, on_progress=context.progress, reset=params.reset
            )
        state = "was there already" if report.already_seeded else "loaded"
        context.log(f"{sum(report.rows.values()):,} rows {state}, {report.first_day} to {report.last_day}")
        return {
            "rows": report.rows,
            "seconds": report.seconds,
            "first_day": report.first_day,
            "last_day": report.last_day,
            "already_seeded": report.already_seeded,
        }

    def _choose(self, phase: str) -> Callable[[StepContext, Day], dict[str, Any]]:
        """The step that settles which day it is: what was settled outlives a crash of the next step."""

        def step(context: StepContext, params: Day) -> dict[str, Any]:
            simulation = self._simulation
            require = simulation.require_morning if phase == MORNING else simulation.require_evening
            return {"day": require(params.day)}

        return step

    def _move(self, phase: str) -> Callable[[StepContext, Day], dict[str, Any]]:
        """The step that adds the rows of one phase of the settled day."""

        def step(context: StepContext, params: Day) -> dict[str, Any]:
            from mock_data import Simulator

            day = date.fromisoformat(context.result_of("choose")["day"])
            with _connection(context) as connection, refusals():
                simulator = Simulator(connection, self._schema())
                done = [entry for entry in simulator.log(day) if (entry.day, entry.phase) == (day, phase)]
                if done:
                    # Only this operation could have done it since the day was settled: operations on the data
                    # run one at a time.
                    context.log(f"The {phase.lower()} of {day} is in")
                    return {"day": day, "phase": phase, "rows": {"": done[0].records_added}}
                report = simulator.morning(day) if phase == MORNING else simulator.evening(day)
            told = ", ".join(f"{count:,} rows in {table}" for table, count in report.rows.items())
            context.log(f"{phase.capitalize()} of {day}: {told}")
            return {"day": day, "phase": phase, "rows": report.rows}

        return step

    def reset(self, context: StepContext, params: Reset) -> dict[str, Any]:
        """Delete what came after the seed, and what the spokes predicted of it."""
        from mock_data import Simulator

        last = self._simulation.require_seed().last_day
        with _connection(context) as connection, refusals():
            for scope in self._spokes.onboarded():
                for table, column in _dated(scope, reader(connection)):
                    with connection.cursor() as cursor:
                        cursor.execute(f"DELETE FROM {scope.own(table)} WHERE {quote(column)} > %s", (last,))
            status = Simulator(connection, self._schema()).reset()
        context.log(f"Back at the evening of {status.last_evening}")
        return {"last_day": status.last_evening, "rows": status.row_counts}

    def _schema(self) -> str:
        return str(shared_schema(self._hub))

    def _kind(self, name: str, phase: str, check: Callable[[Day], None]) -> OperationKind[Day]:
        word = phase.lower()
        return OperationKind(
            name,
            f"{phase.capitalize()} of the next day",
            Day,
            [
                Step("choose", "Settle the day", self._choose(phase)),
                Step("add", f"Add what the {word} brings", self._move(phase)),
            ],
            queue_key=lambda params: _QUEUE,
            validate=check,
            describe=lambda params: f"{phase.capitalize()} of {params.day or 'the next day'}",
            touches=lambda params: self._simulation.touched(),
        )

    def _check_morning(self, params: Day) -> None:
        self._simulation.require_morning(params.day)

    def _check_evening(self, params: Day) -> None:
        self._simulation.require_evening(params.day)

    def _check_reset(self, params: Reset) -> None:
        self._simulation.require_seed()


def _dated(scope: Scope, query: Query) -> list[tuple[str, str]]:
    """(table, column) of the spoke's tables whose rows are of a day: of a prediction's, or of an alert's."""
    times = {contract.time for contract in scope.declared.predictions.values()} | {"ALERT_DATE"}
    tables = [str(row["name"]) for row in query(f"SHOW TABLES IN SCHEMA {scope.schema}")]
    return [
        (table, str(row["name"]))
        for table in tables
        for row in query(f"DESCRIBE TABLE {scope.own(table)}")
        if row["name"] in times and str(row["type"]).startswith(_DAYS)
    ]


def _connection(context: StepContext) -> AbstractContextManager[SnowflakeConnection]:
    """One change of the data waits for another for seconds, not for the half day that is Snowflake's default."""
    return context.connect(session_parameters={"LOCK_TIMEOUT": LOCK_SECONDS})
