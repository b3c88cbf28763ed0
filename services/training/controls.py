"""What is changed of a deployed graph while it stays what it is: suspended, resumed, scheduled otherwise, a run ended.

A task of a graph is changed while its root is suspended, and the root is resumed last.
https://docs.snowflake.com/en/sql-reference/sql/alter-task, "Usage notes"
"""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from services.core.errors import Conflict, SnowflakeFailed, SpokehubError
from services.operations import OperationKind, Params, Step, StepContext
from services.snowflake.failures import translate
from services.snowflake.identifiers import literal, quote
from services.snowflake.scope import Scope
from services.spokes.service import Spokes
from services.training.following import Follower
from services.training.service import Training

MOST_RETRIED = 100
_INTERVAL = re.compile(r"(\d{1,6})\s+(SECONDS?|MINUTES?|HOURS?|S|M|H)\Z", re.IGNORECASE)
_CRON = re.compile(r"USING\s+CRON\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(\S+)\Z", re.IGNORECASE)
_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,\-#?]+\Z")
# Minute, hour, day of the month, month, day of the week.
# https://docs.snowflake.com/en/sql-reference/sql/create-task#optional-parameters
_CRON_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
# Behind / stands a step, behind # which one of its kind in the month.
_CRON_NUMBER = re.compile(r"(?<![0-9/#])[0-9]+")
# Eight days. https://docs.snowflake.com/en/sql-reference/sql/create-task, SCHEDULE
_LONGEST_SECONDS, _SHORTEST_SECONDS = 11_520 * 60, 10
_SIZES = {"S": 1, "M": 60, "H": 3600}


class OfGraph(Params):
    """A declared graph of a spoke in an environment."""

    spoke: str
    environment: str
    graph: str


class OfRun(OfGraph):
    """One of its runs."""

    run_id: str


class NewSchedule(OfGraph):
    """``schedule`` as Snowflake writes it; None: it runs on request only."""

    schedule: str | None = None

    @field_validator("schedule")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        return None if value is None or not value.strip() else check_schedule(value)


class Many(Params):
    """Runs that failed, of any graphs."""

    runs: tuple[OfRun, ...] = Field(min_length=1, max_length=MOST_RETRIED)


def check_schedule(text: str) -> str:
    """The schedule without needless spaces; ValueError with what is wrong with it."""
    text = " ".join(text.split())
    interval = _INTERVAL.match(text)
    if interval is not None:
        seconds = int(interval[1]) * _SIZES[interval[2][0].upper()]
        if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
            raise ValueError("an interval is of 10 seconds to 11520 minutes")
        return text
    cron = _CRON.match(text)
    if cron is None:
        raise ValueError(
            "write '60 MINUTES', or 'USING CRON 0 6 * * * Europe/Paris' with five fields and a zone"
        )
    for field, (least, most) in zip(cron[1].split(), _CRON_LIMITS, strict=True):
        if not _CRON_FIELD.match(field):
            raise ValueError(f"{field!r} is no field of a cron expression")
        if any(not least <= int(number) <= most for number in _CRON_NUMBER.findall(field)):
            raise ValueError(f"{field!r} is not within {least} and {most}")
    try:
        ZoneInfo(cron[2])
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {cron[2]!r}") from None
    return text


def _key(params: OfGraph) -> str:
    return f"{params.spoke}/{params.environment}"


class GraphControls:
    """The steps of ``graph.suspend``, ``graph.resume``, ``graph.schedule``, ``graph.cancel``, ``graph.retry_many``."""

    def __init__(self, training: Training, spokes: Spokes, follower: Follower) -> None:
        self._training = training
        self._spokes = spokes
        self._follower = follower

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        return (
            OperationKind(
                "graph.suspend", "Suspend a graph", OfGraph,
                [Step("suspend", "Suspend the root task", self.suspend)],
                queue_key=_key, validate=self.check, describe=lambda it: f"Suspend {_where(it)}",
            ),
            OperationKind(
                "graph.resume", "Resume a graph", OfGraph,
                [Step("resume", "Resume its tasks, the root last", self.resume)],
                queue_key=_key, validate=self.check, describe=lambda it: f"Resume {_where(it)}",
            ),
            OperationKind(
                "graph.schedule", "Change a graph's schedule", NewSchedule,
                [
                    Step("settle", "Note what it is now", self.settle),
                    Step("change", "Change it while the root is suspended", self.schedule),
                ],
                queue_key=_key, validate=self.check, describe=lambda it: f"Schedule {_where(it)}",
            ),
            # What it ends may be followed by an operation of the spoke's own queue.
            OperationKind(
                "graph.cancel", "Cancel a run", OfRun,
                [Step("cancel", "Cancel each task that executes", self.cancel)],
                queue_key=lambda it: f"cancel/{it.run_id}", validate=self.check_cancel,
                describe=lambda it: f"Cancel run {it.run_id} of {_where(it)}",
            ),
            OperationKind(
                "graph.retry_many", "Retry runs that failed", Many,
                [
                    Step("start", "Start each retry", self.start_all),
                    Step("follow", "Follow each to its end", self.follow_all),
                ],
                queue_key=lambda it: "graph.retry_many", target=lambda it: (None, None),
                describe=lambda it: f"Retry {len(it.runs)} run{'s' if len(it.runs) > 1 else ''}",
            ),
        )  # fmt: skip

    def check(self, params: OfGraph) -> None:
        """NotFound 404 for a graph that the manifest does not declare, Conflict 409 for one that is not deployed."""
        self._training.declared(params.spoke, params.environment, params.graph)
        self._training.require(params.spoke, params.environment, params.graph)

    def check_cancel(self, params: OfRun) -> None:
        """As ``check``; Conflict 409 for a run that is over."""
        self.check(params)
        run = self._training.told(self._scope(params), params.graph, params.run_id)
        if run.state not in ("EXECUTING", "SCHEDULED"):
            raise Conflict(
                f"Run {params.run_id} of {params.graph} is over: it is {run.state}", code="run_is_over"
            )

    def suspend(self, context: StepContext, params: OfGraph) -> dict[str, Any]:
        """What executes goes on to its end; nothing more is started by schedule."""
        scope = self._scope(params)
        self._execute(context, scope, f"ALTER TASK {scope.own(params.graph)} SUSPEND")
        return {"graph": params.graph, "state": "suspended"}

    def resume(self, context: StepContext, params: OfGraph) -> dict[str, Any]:
        """https://docs.snowflake.com/en/sql-reference/functions/system_task_dependents_enable"""
        scope = self._scope(params)
        self._resume(context, scope, params.graph)
        return {"graph": params.graph, "state": "started"}

    def settle(self, context: StepContext, params: NewSchedule) -> dict[str, Any]:
        """What was there outlives a crash of the next step."""
        now = self._training.require(params.spoke, params.environment, params.graph)
        return {"schedule": now.schedule, "started": now.state.lower() == "started"}

    def schedule(self, context: StepContext, params: NewSchedule) -> dict[str, Any]:
        """Suspend, change, resume; when the account refuses in between, all is put back as it was."""
        scope = self._scope(params)
        before = context.result_of("settle")
        try:
            self._change(context, scope, params.graph, params.schedule, before["started"])
        except SnowflakeFailed as refused:
            context.log(f"The account refused: {refused.message}", "error")
            self._change(context, scope, params.graph, before["schedule"], before["started"])
            context.log("The schedule is what it was before", "warning")
            raise
        return {"graph": params.graph, "schedule": params.schedule, "before": before["schedule"]}

    def cancel(self, context: StepContext, params: OfRun) -> dict[str, Any]:
        """Until nothing of the run is to come."""
        self._follower.stop(context, self._scope(params), params.graph, params.run_id)
        return {"graph": params.graph, "run_id": params.run_id}

    def start_all(self, context: StepContext, params: Many) -> list[dict[str, Any]]:
        """Each as an operation of its own; what cannot be retried is told, and hinders no other. A graph runs once at a
        time: its further runs wait for the next step.
        """
        found = []
        at_work: set[str] = set()
        for run in {_name(run): run for run in params.runs}.values():
            told: dict[str, Any] = {**run.model_dump(), "refused": None}
            if _where(run) in at_work:
                context.log(f"{_where(run)}, run {run.run_id}: waits for the one before")
            elif (refused := self._start(context, run, "follow")) is None:
                at_work.add(_where(run))
            else:
                told["refused"] = refused
            found.append(told)
        return found

    def _start(self, context: StepContext, run: OfRun, step: str) -> str | None:
        """Why it is refused, if it is."""
        try:
            context.start_child("graph.retry", run.model_dump(), step, _name(run))
        except SpokehubError as error:
            context.log(f"{_where(run)}, run {run.run_id}: {error.message}", "warning")
            return error.message
        return None

    def follow_all(self, context: StepContext, params: Many) -> dict[str, Any]:
        """Each run's end: its state, or why not."""
        results = []
        for told in context.result_of("start"):
            run = OfRun(**{name: told[name] for name in OfRun.model_fields})
            refused = told["refused"] or self._start(context, run, context.step)
            outcome = {**run.model_dump(), "state": "REFUSED", "error": refused}
            if refused is None:
                try:
                    ended = context.run_child("graph.retry", run.model_dump(), _name(run))
                    outcome |= {"state": ended["state"], "error": None}
                except SpokehubError as error:
                    outcome |= {"state": "FAILED", "error": error.message}
            context.log(f"{_where(run)}, run {run.run_id}: {outcome['state']}")
            results.append(outcome)
        if all(one["state"] == "REFUSED" for one in results):
            raise Conflict(
                f"None of the runs can be retried: {results[0]['error']}",
                code="nothing_retried",
                detail=results,
            )
        good = sum(one["state"] == "SUCCEEDED" for one in results)
        context.log(f"{good} of {len(results)} succeeded", "info" if good == len(results) else "warning")
        return {"runs": results, "succeeded": good, "failed": len(results) - good}

    def _scope(self, params: OfGraph) -> Scope:
        return self._spokes.scope(params.spoke, params.environment)

    def _change(
        self, context: StepContext, scope: Scope, graph: str, schedule: str | None, started: bool
    ) -> None:
        name = scope.own(graph)
        change = "UNSET SCHEDULE" if schedule is None else f"SET SCHEDULE = {literal(schedule)}"
        self._execute(context, scope, f"ALTER TASK {name} SUSPEND", f"ALTER TASK {name} {change}")
        if started:
            self._resume(context, scope, graph)

    def _resume(self, context: StepContext, scope: Scope, graph: str) -> None:
        statement = f"SELECT SYSTEM$TASK_DEPENDENTS_ENABLE({literal(str(scope.own(graph)))})"
        self._execute(context, scope, statement)

    def _execute(self, context: StepContext, scope: Scope, *statements: str) -> None:
        # What a spoke deployed is its owner role's, and only that one may change it.
        try:
            with context.connect(role=quote(scope.owner_role)) as connection, connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        except Exception as error:
            refused = translate(error)
            if refused is None:
                raise
            raise refused from error


def _name(run: OfRun) -> str:
    return "/".join((run.spoke, run.environment, run.graph, run.run_id))


def _where(params: OfGraph) -> str:
    return f"{params.graph} of {params.spoke} in {params.environment}"
