"""``data.seed``, ``data.morning``, ``data.evening``, ``data.reset``: the synthetic network moves on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Any

from services.core.errors import Conflict, Invalid
from services.operations import OperationKind, Params, Step, StepContext
from services.simulation.repository import EVENING, MORNING

_QUEUE = "data"
LOCK_SECONDS = 10


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


def check_seed(params: Seed, services: Any) -> None:
    """Conflict 409 before the hub is applied."""
    services.spokes.require_hub()


def seed(context: StepContext, params: Seed) -> dict[str, Any]:
    """Load the network; what is loaded already is left as it is."""
    import mock_data

    schema = _schema(context)
    with _connection(context) as connection, refusals():
        # A reset that was interrupted has either deleted and loaded all, or nothing.
        config = mock_data.NetworkConfig(**params.network)  # type: ignore[arg-type]
        report = mock_data.seed(connection, schema, config, on_progress=context.progress, reset=params.reset)
    state = "was there already" if report.already_seeded else "loaded"
    context.log(f"{sum(report.rows.values()):,} rows {state}, {report.first_day} to {report.last_day}")
    return {
        "rows": report.rows,
        "seconds": report.seconds,
        "first_day": report.first_day,
        "last_day": report.last_day,
        "already_seeded": report.already_seeded,
    }


def choose(phase: str) -> Callable[[StepContext, Day], dict[str, Any]]:
    """The step that settles which day it is: what was settled outlives a crash of the next step."""

    def step(context: StepContext, params: Day) -> dict[str, Any]:
        simulation = context.services.simulation
        require = simulation.require_morning if phase == MORNING else simulation.require_evening
        return {"day": require(params.day)}

    return step


def move(phase: str) -> Callable[[StepContext, Day], dict[str, Any]]:
    """The step that adds the rows of one phase of the settled day."""

    def step(context: StepContext, params: Day) -> dict[str, Any]:
        from mock_data import Simulator

        day = date.fromisoformat(context.result_of("choose")["day"])
        with _connection(context) as connection, refusals():
            simulator = Simulator(connection, _schema(context))
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


def reset(context: StepContext, params: Reset) -> dict[str, Any]:
    """Delete what came after the seed, and what the spokes predicted of it."""
    from mock_data import Simulator

    services = context.services
    last = services.simulation.require_seed().last_day
    with _connection(context) as connection, refusals():
        for scope in services.spokes.onboarded():
            for table, column in (("PREDICTIONS", "PREDICTION_DATE"), ("ALERTS", "ALERT_DATE")):
                with connection.cursor() as cursor:
                    cursor.execute(f"DELETE FROM {scope.own(table)} WHERE {column} > %s", (last,))
        status = Simulator(connection, _schema(context)).reset()
    context.log(f"Back at the evening of {status.last_evening}")
    return {"last_day": status.last_evening, "rows": status.row_counts}


def _connection(context: StepContext) -> AbstractContextManager[Any]:
    """One change of the data waits for another for seconds, not for the half day that is Snowflake's default."""
    return context.connect(session_parameters={"LOCK_TIMEOUT": LOCK_SECONDS})


def _schema(context: StepContext) -> str:
    hub = context.services.hub.declared
    return f'"{hub.database}"."{hub.shared_schema}"'


def _kind(name: str, phase: str, check: Callable[[Day, Any], Any]) -> OperationKind[Day]:
    word = phase.lower()
    return OperationKind(
        name,
        f"{phase.capitalize()} of the next day",
        Day,
        [
            Step("choose", "Settle the day", choose(phase)),
            Step("add", f"Add what the {word} brings", move(phase)),
        ],
        queue_key=lambda params: _QUEUE,
        validate=check,
        describe=lambda params: f"{phase.capitalize()} of {params.day or 'the next day'}",
    )


def _check_morning(params: Day, services: Any) -> None:
    services.simulation.require_morning(params.day)


def _check_evening(params: Day, services: Any) -> None:
    services.simulation.require_evening(params.day)


def _check_reset(params: Reset, services: Any) -> None:
    services.simulation.require_seed()


KINDS: tuple[OperationKind[Any], ...] = (
    OperationKind(
        "data.seed",
        "Load the synthetic network",
        Seed,
        [Step("seed", "Generate and load", seed)],
        queue_key=lambda params: _QUEUE,
        validate=check_seed,
    ),
    _kind("data.morning", MORNING, _check_morning),
    _kind("data.evening", EVENING, _check_evening),
    OperationKind(
        "data.reset",
        "Go back to the end of the seed",
        Reset,
        [Step("reset", "Delete what came after", reset)],
        queue_key=lambda params: _QUEUE,
        validate=_check_reset,
    ),
)
