"""What a step is given: how it speaks of its progress, reaches the account and runs other operations."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from services.core.clock import Clock
from services.operations.journal import Journal
from services.operations.queries import Queries

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session

    from services.operations.registry import Params
    from services.snowflake.connection import ConnectionSource

_PROGRESS_INTERVAL = 0.2
_CANCEL_INTERVAL = 0.25


class OperationCancelled(Exception):
    """Raised in a step once its operation is to be cancelled; not a fault, somebody wished it."""


class ServiceStopping(BaseException):
    """Raised in a step when the service stops: the step is started again when the service is.

    Not an Exception, so that no handler in between takes it for a failure.
    """


@dataclass(frozen=True)
class Surroundings:
    """What the runner shares with every context."""

    journal: Journal
    queries: Queries
    clock: Clock
    source: "ConnectionSource | None"
    stopping: threading.Event
    run_child: "Callable[[StepContext, str, Params | dict[str, Any], str | None], Any]"
    start_child: "Callable[[StepContext, str, Params | dict[str, Any], str | None, str], str]"


def until(stopping: threading.Event) -> Callable[[float], None]:
    """A pause that the service's stop ends, by raising ServiceStopping."""

    def pause(seconds: float) -> None:
        if stopping.wait(seconds):
            raise ServiceStopping

    return pause


class StepContext:
    """One attempt at one step. Used by the one thread that runs it."""

    def __init__(
        self,
        around: Surroundings,
        *,
        operation_id: str,
        actor: str,
        run: int,
        step: str,
        attempt: int,
        spoke: str | None,
        environment: str | None,
        written: Counter[tuple[str, str]],
        cancellable: bool = True,
    ) -> None:
        self._around = around
        self.written = written
        self._last_progress = 0.0
        self._last_check = 0.0
        self._cancelled = False
        self._cancellable = cancellable
        self.operation_id = operation_id
        self.actor = actor
        self.run = run
        self.step = step
        self.attempt = attempt
        self.spoke = spoke
        self.environment = environment

    @property
    def request_id(self) -> str:
        """The same for every attempt at this step: put it where a repeated request must be known again."""
        return f"{self.operation_id}/{self.step}"

    def now(self) -> datetime:
        return self._around.clock()

    def log(self, message: str, level: str = "info") -> None:
        """Write a line. What an interrupted attempt already wrote is not written twice."""
        self.check()
        if self.written[level, message] > 0:
            self.written[level, message] -= 1
            return
        self._around.journal.log(self.operation_id, self.step, self.attempt, level, message)

    def progress(self, fraction: float | None, message: str | None = None) -> None:
        """Say how far this step is: a fraction from 0 to 1, or None where it cannot be known."""
        self.check()
        now = time.monotonic()
        if now - self._last_progress < _PROGRESS_INTERVAL and fraction != 1.0:
            return
        self._last_progress = now
        if fraction is not None:
            fraction = min(max(float(fraction), 0.0), 1.0)
        self._around.journal.progress(self.operation_id, self.step, fraction, message)

    def sql(
        self,
        text: str,
        query_id: str | None = None,
        seconds: float | None = None,
        rows: int | None = None,
        error: str | None = None,
    ) -> None:
        """Record a statement that was executed. Connections of ``connect`` do so by themselves."""
        self._around.journal.sql(
            self.operation_id, self.step, self.attempt,
            text=text, query_id=query_id, seconds=seconds, rows=rows, error=error,
        )  # fmt: skip

    def result_of(self, step: str) -> Any:
        """What an earlier step of this operation returned."""
        return self._around.queries.step_result(self.operation_id, step)

    def cancelled(self) -> bool:
        """Whether this operation is to be cancelled. Asks the database at most every quarter second.

        Not while it is being cancelled, which is work too.
        """
        if not self._cancellable:
            return False
        now = time.monotonic()
        if not self._cancelled and now - self._last_check >= _CANCEL_INTERVAL:
            self._last_check = now
            self._cancelled = self._around.queries.state(self.operation_id)[1]
        return self._cancelled

    def check(self) -> None:
        """Raise OperationCancelled or ServiceStopping when it is time to stop; between two pieces of work."""
        if self._around.stopping.is_set():
            raise ServiceStopping
        if self.cancelled():
            raise OperationCancelled

    def sleep(self, seconds: float) -> None:
        """Wait, waking early to be cancelled or stopped."""
        end = time.monotonic() + seconds
        while True:
            self.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            self._around.stopping.wait(min(left, _CANCEL_INTERVAL))

    def run_child(self, kind: str, params: "Params | dict[str, Any]", name: str | None = None) -> Any:
        """Run another operation to its end and return its result.

        ``name`` tells apart several children of one kind in one step. The same call after an interruption
        finds the same child; when this operation is resumed, so is a child that failed. Raises what the
        child failed with.
        """
        return self._around.run_child(self, kind, params, name)

    def start_child(
        self, kind: str, params: "Params | dict[str, Any]", step: str, name: str | None = None
    ) -> None:
        """Start the operation that a later ``step`` runs, so that it goes on beside this one.

        That step finds it with ``run_child`` and the same kind and name, and waits for it.
        """
        self._around.start_child(self, kind, params, name, step)

    @contextmanager
    def connect(self, **options: Any) -> "Iterator[SnowflakeConnection]":
        """A connection to the account whose statements appear in this operation's SQL.

        Options: role, warehouse, database, schema. Closed at the end.
        """
        with self._source.open(recorder=self.sql, tag=self._tag(), **options) as connection:
            yield connection

    @contextmanager
    def session(self, **options: Any) -> "Iterator[Session]":
        """A Snowpark session; options and recording as in ``connect``."""
        with self._source.session(recorder=self.sql, tag=self._tag(), **options) as session:
            yield session

    @property
    def _source(self) -> "ConnectionSource":
        if self._around.source is None:
            raise RuntimeError("this application was composed without an account")
        return self._around.source

    def _tag(self) -> dict[str, str]:
        tag = {"operation": self.operation_id, "step": self.step}
        if self.spoke:
            tag["spoke"] = self.spoke
        if self.environment:
            tag["environment"] = self.environment
        return tag


def jsonable(value: Any) -> Any:
    """``value`` as plain JSON values; raises ValueError when it cannot be."""
    from pydantic_core import to_jsonable_python

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return to_jsonable_python(value)
