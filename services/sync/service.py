"""The readings of the account: how far they are, what they cost, and what starts one."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from services.core.clock import Clock, utc_now
from services.core.hub import Declaration
from services.core.settings import SyncSettings
from services.knowledge import Knowledge
from services.operations import Operations, OperationState, OperationView, StepContext
from services.snowflake.identifiers import like_pattern, quote
from services.snowflake.scope import Scopes
from services.spokes.places import Places
from services.sync.marks import Mark, Reading
from services.sync.reader import Readers
from services.sync.repository import Readings
from services.sync.schedule import Schedule
from services.sync.sources import (
    CATALOGUE,
    DAY,
    KIND,
    LIVE_REFRESHES,
    LIVE_RUNS,
    LIVE_TITLES,
    USAGE,
    WAREHOUSE,
)
from services.sync.stitching import Runs, Stitching
from services.sync.types import Reach, SourceKind, SourceStatus, SyncStatus

_REFUSED = ("not exist or not authorized", "insufficient privileges", "not authorized")


class Sync:
    """See types.py."""

    def __init__(
        self,
        hub: Declaration,
        settings: SyncSettings,
        readings: Readings,
        runs: Runs,
        places: Places,
        scopes: Scopes,
        operations: Operations,
        schedule: Schedule,
        knowledge: Knowledge,
        clock: Clock = utc_now,
    ) -> None:
        self._hub = hub
        self._settings = settings
        self._places = places
        self._scopes = scopes
        self._operations = operations
        self._schedule = schedule
        self._knowledge = knowledge
        self._clock = clock
        self._readers = Readers()
        self._readings = readings
        self._stitching = Stitching(readings, runs, places.place, hub.databases, clock)

    def status(self) -> SyncStatus:
        """Every source, what the readings of a day cost, and the one that goes on; asks the account nothing."""
        marks, latest = self._readings.marks(), self._readings.latest()
        names: list[tuple[str, str, SourceKind, timedelta]] = []
        names.append((CATALOGUE, LIVE_TITLES[CATALOGUE], "catalogue", timedelta()))
        several = len(self._hub.databases) > 1
        for database in self._hub.databases:
            title = LIVE_TITLES[LIVE_RUNS] + (f" in {database}" if several else "")
            names.append((f"{LIVE_RUNS}:{database}", title, "live", timedelta()))
        names.append((LIVE_REFRESHES, LIVE_TITLES[LIVE_REFRESHES], "live", timedelta()))
        names += [(view.name, view.title, "usage", view.latency) for view in USAGE]
        sources = tuple(
            self._source(name, title, kind, latency, marks.get(name), latest.get(name))
            for name, title, kind, latency in names
        )
        now = self._clock()
        going, last = self._operations.open(KIND), self._operations.latest(KIND)
        failure = latest[WAREHOUSE]["error"] if WAREHOUSE in latest else None
        if last is not None and last.state == OperationState.FAILED and last.error is not None:
            failure = last.error.message
        next_at, next_warehouse_at = self._schedule.next() or (None, None)
        return SyncStatus(
            sources,
            self._readings.cost(now - DAY),
            max((one.as_of for one in sources if one.as_of is not None), default=None),
            next_at,
            next_warehouse_at,
            running=going.id if going is not None else None,
            failure=failure,
        )

    def require(self, spoke: str, environment: str) -> None:
        """NotFound 404, Invalid 422 or Conflict 409 unless the spoke is onboarded there."""
        self._scopes(spoke, environment).require()

    def start(self, actor: str, spoke: str | None = None, environment: str | None = None) -> OperationView:
        """Submit ``sync.run`` that reads all now, or all of one spoke in one environment."""
        whole = spoke is None
        params = {"spoke": spoke, "environment": environment, "usage": whole, "check": whole}
        return self._operations.submit(KIND, params, actor=actor)

    def read_catalogue(
        self, context: StepContext, scope: tuple[str, str] | None, reach: Reach
    ) -> list[Reading]:
        """Have what is shown of the account's objects asked anew, of one spoke or of all."""
        begin, error, statements = time.perf_counter(), None, 0
        part = None if scope is None else f"spoke:{scope[0]}:{scope[1]}"
        for one in self._knowledge.refresh(part, reach, context):
            error = error or one.error
            statements += one.statements
        now = self._clock()
        seconds = time.perf_counter() - begin
        found = Reading(CATALOGUE, 0, 0, statements, seconds, reach == "all", error)
        if error is None and scope is None:
            self._readings.advance(Mark(CATALOGUE, now, now))
        self._readings.log(now, [found])
        return [found]

    def read_live(
        self, context: StepContext, scope: tuple[str, str] | None, if_running: bool = False
    ) -> list[Reading]:
        """Read the functions, of one spoke's schema or of all databases.

        ``if_running``: nothing is read while the warehouse stands still. Without the hub's warehouse nothing is.
        """
        where = None
        if scope is not None:
            names = self._scopes(*scope).require()
            where = (names.database, names.schema.name)
        read_at = self._clock()
        woken = self._wake(context)
        if woken.error is not None or (if_running and woken.warehouse):
            found = [replace(woken, warehouse=False)]
            self._readings.log(read_at, found)
            return found
        with self._readers.open(context.connect) as account:
            found = [woken, *self._stitching.live(account, where)]
        self._readings.log(read_at, found)
        return found

    def read_usage(self, context: StepContext, days: int | None, check: bool) -> list[Reading]:
        """Read the views."""
        read_at = self._clock()
        with self._readers.open(context.connect) as account:
            found = self._stitching.usage(account, days or self._settings.days, check, context.progress)
        self._readings.reckon(self._places.all(), self._clock().astimezone(UTC).date())
        self._readings.log(read_at, found)
        return found

    def _wake(self, context: StepContext) -> Reading:
        """Whether what follows starts the warehouse; SHOW itself needs none."""
        begin = time.perf_counter()
        with context.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SHOW WAREHOUSES LIKE {like_pattern(self._hub.warehouse.name)}")
            names = [column.name for column in cursor.description]
            states = [dict(zip(names, row, strict=True))["state"] for row in cursor.fetchall()]
        sleeps = any(state != "STARTED" for state in states)
        missing = f"There is no warehouse {self._hub.warehouse.name}: apply the hub" if not states else None
        return Reading(WAREHOUSE, len(states), 0, 1, time.perf_counter() - begin, sleeps, missing)

    def _source(
        self,
        name: str,
        title: str,
        kind: SourceKind,
        latency: timedelta,
        mark: Mark | None,
        last: dict[str, Any] | None,
    ) -> SourceStatus:
        found = SourceStatus(
            name=name,
            title=title,
            kind=kind,
            latency=latency.total_seconds(),
            warehouse=kind != "catalogue",
            as_of=None if mark is None else mark.as_of,
            read_to=None if mark is None else mark.read_to,
            since=None if mark is None else mark.since,
        )
        if last is None:
            return found
        return replace(
            found,
            rows=last["rows_read"],
            new=last["rows_new"],
            statements=last["statements"],
            seconds=last["seconds"],
            error=last["error"],
            hint=self._hint(name, last["error"]),
        )

    def _hint(self, source: str, error: str | None) -> str | None:
        """What to do about what a source could not read."""
        if error is None:
            return None
        if "No active warehouse" in error:
            return "The hub's warehouse is not there: apply the hub."
        refused = any(words in error.lower() for words in _REFUSED)
        view = next((view for view in USAGE if view.name == source), None)
        role = quote(self._hub.service_role)
        if view is not None and refused:
            return f"GRANT DATABASE ROLE SNOWFLAKE.{view.role} TO ROLE {role}"
        if refused:
            return f"Apply the hub, or: GRANT MONITOR EXECUTION ON ACCOUNT TO ROLE {role}"
        return None
