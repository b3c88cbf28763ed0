"""``simulation.run``: several days of the synthetic network in one go, with trouble if one likes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from services.core.errors import SpokehubError
from services.operations import OperationKind, Params, Step, StepContext
from services.simulation.repository import EVENING, MORNING
from services.simulation.service import Simulation, Subject
from services.simulation.trouble import Run, mend_all, trouble
from services.snowflake.scope import Scope

MOST_DAYS = 60
# Of a row of days, each so-and-so-many-th is a troubled one; so is the last of fewer.
EVERY = 3


class Days(Params):
    """How many days; ``trouble`` is the name of what goes wrong on every third of them."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 1
    trouble: str | None = None


class SeveralDays:
    """The steps of ``simulation.run``."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def kind(self) -> OperationKind[Days]:
        return OperationKind(
            "simulation.run",
            "Let days pass",
            Days,
            [
                Step("begin", "See which day it is", self.begin),
                Step("days", "Morning, forecasts, evening, evaluation", self.days, self.mend),
            ],
            queue_key=lambda params: "simulation",
            validate=self.check,
            # Trouble is mended after the last of its parts.
            touches=lambda params: self._simulation.touched(),
            describe=lambda params: (
                f"Let {params.days} day{'' if params.days == 1 else 's'} pass"
                + (f", with trouble: {params.trouble}" if params.trouble else "")
            ),
        )

    def check(self, params: Days) -> None:
        """Conflict 409 before the seed, or while other work on the data is under way; Invalid 422 for the trouble."""
        if params.trouble is not None:
            trouble(params.trouble)
        self._simulation.require_seed()
        self._simulation.require_idle()

    def begin(self, context: StepContext, params: Days) -> dict[str, Any]:
        """The first day: settled once, whatever happens later. A day that has begun is the first."""
        with _running(context) as run:
            for name in mend_all(run, self._scopes()):
                context.log(f"Mended what was left of {name}")
        first = self._simulation.first_open_day()
        return {
            "first": first,
            "days": [first + self._simulation.day * count for count in range(params.days)],
        }

    def days(self, context: StepContext, params: Days) -> dict[str, Any]:
        """Day by day. A forecast that fails does not keep the next day from coming."""
        days = [date.fromisoformat(str(day)) for day in context.result_of("begin")["days"]]
        failed = []
        for count, day in enumerate(days, 1):
            troubled = params.trouble is not None and (
                count % EVERY == 0 or (count == len(days) and len(days) < EVERY)
            )
            context.progress((count - 1) / len(days), f"{day}" + (", a troubled day" if troubled else ""))
            failed += self._day(context, day, params.trouble if troubled else None)
        return {"first": days[0], "last": days[-1], "failed": failed}

    def _day(self, context: StepContext, day: date, name: str | None) -> list[dict[str, str]]:
        last = self._simulation.data.last_phases()
        if last[MORNING] < day:
            context.run_child("data.morning", {"day": day.isoformat()}, f"{day}")
        failed = []
        if last[EVENING] < day:
            self._make(context, day, name)
            for subject in self._simulation.subjects():
                failed += self._forecast(context, subject, day)
            # Whatever ends the step before this, its cancelling or its next run mends what was made.
            if name is not None:
                self.mend(context)
            context.run_child("data.evening", {"day": day.isoformat()}, f"{day}")
        for subject in self._simulation.subjects():
            failed += self._evaluate(context, subject, day)
        return failed

    def _make(self, context: StepContext, day: date, name: str | None) -> None:
        if name is None:
            return
        with _running(context) as run:
            context.log(trouble(name).make(run, self._scopes(), day), "warning")

    def mend(self, context: StepContext, params: Days | None = None) -> None:
        """Undo what trouble is there."""
        with _running(context) as run:
            for name in mend_all(run, self._scopes()):
                context.log(f"Mended: {name}")

    def _forecast(self, context: StepContext, subject: Subject, day: date) -> list[dict[str, str]]:
        if subject.graph is None or not self._simulation.can_predict(subject):
            context.log(f"{subject.scope.spoke} has no model that could predict {day}")
            return []
        params = {
            "spoke": subject.scope.spoke,
            "environment": subject.scope.environment,
            "graph": subject.graph,
            # Without it the earliest pending one: of data that is late, the day before.
            "days": [day.isoformat()],
            "wait": True,
        }
        return self._child(context, "inference.run", params, subject, day)

    def _evaluate(self, context: StepContext, subject: Subject, day: date) -> list[dict[str, str]]:
        if subject.contract.evaluate is None:
            return []
        made = self._simulation.data.forecasts(subject.scope, subject.contract, day).get(day)
        if made is None or made.scored:
            return []
        params = {
            "spoke": subject.scope.spoke,
            "environment": subject.scope.environment,
            "prediction": subject.name,
        }
        return self._child(context, "predictions.evaluate", params, subject, day)

    def _child(
        self, context: StepContext, kind: str, params: dict[str, Any], subject: Subject, day: date
    ) -> list[dict[str, str]]:
        """What failed, which is told and goes no further."""
        try:
            context.run_child(kind, params, f"{day} {subject.scope.spoke} {subject.name}")
        except SpokehubError as error:
            context.log(f"{day}, {subject.scope.spoke}: {error.message}", "error")
            return [
                {"day": day.isoformat(), "spoke": subject.scope.spoke, "kind": kind, "why": error.message}
            ]
        return []

    def _scopes(self) -> list[Scope]:
        found: dict[str, Scope] = {}
        for subject in self._simulation.subjects():
            found.setdefault(subject.scope.spoke, subject.scope)
        return list(found.values())


@contextmanager
def _running(context: StepContext) -> Iterator[Run]:
    """Runs statements on a connection of the operation's."""
    # Imported here: the driver takes half a second, for which no start of the service has to wait.
    from snowflake.connector import DictCursor

    with context.connect() as connection, connection.cursor(DictCursor) as cursor:

        def run(text: str) -> list[dict[str, Any]]:
            cursor.execute(text)
            return list(cursor.fetchall())

        yield run
