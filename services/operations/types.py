"""What an operation looks like from outside: frozen views that the REST API and the pages show.

Functions (`Operations`, in service.py; the application's `services.operations`):

- `submit(kind, params, *, actor, idempotency_key=None) -> OperationView`: checks, writes, queues.
- `get(operation_id) -> OperationView`: with steps; NotFound 404.
- `list(OperationFilter(...), limit=50, cursor=None) -> Page[OperationView]`: newest first, with steps.
- `log(operation_id, after=0, limit=1000) -> Page[LogLine]`.
- `sql(operation_id, after=0, limit=1000) -> Page[ExecutedSql]`.
- `cancel(operation_id, actor)`, `resume(operation_id, actor) -> OperationView`: Conflict 409.
- `running() -> tuple[OperationView, ...]`: what is pending or running now, without children and routine kinds.
- `open(kind) -> OperationView | None`: the oldest of a kind that is pending or running.
- `forget(kind, before) -> int`: deletes what ended before a moment, of a routine kind.
- `revision(operation_id) -> int`: grows with each visible change; cheap enough to poll.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class OperationState(StrEnum):
    """States of an operation."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in FINAL


class StepState(StrEnum):
    """States of a step. A step that was never reached stays pending."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED})


@dataclass(frozen=True, slots=True)
class OperationError:
    """Why it failed: a stable code, the message, what to do next, and further facts."""

    code: str
    message: str
    hint: str | None = None
    detail: Any = None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. ``progress`` is a fraction from 0 to 1 or None; ``attempts`` counts every start of it."""

    name: str
    title: str
    state: StepState
    attempts: int
    progress: float | None
    message: str | None
    result: Any
    error: OperationError | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OperationView:
    """One operation with its steps. ``progress`` is a fraction from 0 to 1 over all steps."""

    id: str
    kind: str
    title: str
    state: OperationState
    actor: str
    spoke: str | None
    environment: str | None
    params: dict[str, Any]
    result: Any
    error: OperationError | None
    parent_id: str | None
    parent_step: str | None
    run: int
    revision: int
    cancelling: bool
    progress: float
    steps: tuple[StepView, ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def can_cancel(self) -> bool:
        return not self.state.final and not self.cancelling

    @property
    def can_resume(self) -> bool:
        # A child goes on when its parent does.
        return self.parent_id is None and self.state in (OperationState.FAILED, OperationState.CANCELLED)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; ``seq`` counts from 1 without gaps."""

    seq: int
    at: datetime
    step: str | None
    attempt: int | None
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class ExecutedSql:
    """One executed statement; ``seconds`` as the client saw it, ``error`` when it failed."""

    seq: int
    at: datetime
    step: str | None
    attempt: int | None
    text: str
    query_id: str | None
    seconds: float | None
    rows: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class OperationFilter:
    """What to list; None means any. ``parent`` is an operation's id, or "none" for those without a parent.

    Without ``routine`` what runs by itself on a schedule is left out, unless it failed or ``kind`` asks for it.
    """

    kind: str | None = None
    state: OperationState | None = None
    spoke: str | None = None
    environment: str | None = None
    parent: str | None = None
    routine: bool = True


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, and where the next part begins (None: this was the last)."""

    items: tuple[T, ...]
    next_cursor: str | None = None
