"""The durable queue: DBOS Transact, which starts each run of an operation once and again after a crash.

DBOS keeps one instance a process, so this module does too. The version and the executor are fixed names:
with either changing, a new process would leave the work of the one before it lying.
"""

import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from services.core.logging import logger

if TYPE_CHECKING:
    from dbos import DBOS

QUEUE = "operations"
_WORKFLOW = "operation"
_VERSION = "1"
_EXECUTOR = "spokehub"
_POLL_SECONDS = 0.2

log = logger(__name__)


class Body(Protocol):
    """What one run does: ``steps`` names them, ``step`` does one and says whether to go on."""

    def begin(self, operation_id: str) -> list[str]: ...

    def step(self, operation_id: str, name: str) -> str: ...

    def finish(self, operation_id: str) -> None: ...

    def broke(self, operation_id: str, error: Exception) -> None: ...


Handed = SimpleQueue[tuple[str, int, str] | None]

_body: Body | None = None
_handed: Handed = SimpleQueue()
_feeder: threading.Thread | None = None
_active = 0
_idle = threading.Condition()


def start(url: str, body: Body) -> None:
    """Connect to the queue's database, make it if need be, and take up what was interrupted."""
    global _body, _feeder, _handed
    # Imported here: with what it brings it takes half a second, which a command that only asks need not pay.
    from dbos import DBOS, DBOSConfig

    _define(DBOS)
    _body = body
    _prepare(url)
    config = DBOSConfig(
        name="spokehub",
        system_database_url=url,
        application_version=_VERSION,
        executor_id=_EXECUTOR,
        log_level="WARNING",
        use_listen_notify=False,
    )
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(QUEUE, partition_concurrency=1, polling_interval_sec=_POLL_SECONDS)
    _handed = SimpleQueue()
    _feeder = threading.Thread(target=_feed, args=(_handed,), name="operations-feeder", daemon=True)
    _feeder.start()


def hand_over(operation_id: str, run: int, queue_key: str) -> None:
    """``enqueue`` without waiting for the queue's database, which another process may hold locked.

    The catalogue knows the run already: should this process end before, the next start takes it up.
    """
    _handed.put((operation_id, run, queue_key))


def _feed(handed: Handed) -> None:
    while (item := handed.get()) is not None:
        try:
            enqueue(*item)
        except Exception:
            log.exception("operation.not_queued", id=item[0], note="the next start takes it up")


def enqueue(operation_id: str, run: int, queue_key: str) -> None:
    """Queue one run of an operation. Doing so twice is doing so once."""
    # In a context of its own: a step may do this, and DBOS would take the new run for a part of that step.
    contextvars.Context().run(_enqueue, operation_id, run, queue_key)


def _enqueue(operation_id: str, run: int, queue_key: str) -> None:
    from dbos import DBOS

    options: Any = {
        "workflow_name": _WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": f"{operation_id}:{run}",
        "queue_partition_key": queue_key,
        "app_version": _VERSION,
    }
    DBOS.enqueue_workflow_with_options(options, operation_id)


def status(operation_id: str, run: int) -> str | None:
    """The state DBOS has for one run, or None when it does not know it."""
    from dbos import DBOS

    found = DBOS.get_workflow_status(f"{operation_id}:{run}")
    return None if found is None else str(found.status)


def forget(workflow_ids: list[str]) -> None:
    """Delete runs that are over."""
    from dbos import DBOS

    DBOS.delete_workflows(workflow_ids)


def stop(timeout: float) -> bool:
    """Stop taking work and wait for what runs; returns whether all of it ended in time."""
    global _body
    from dbos import DBOS

    _handed.put(None)
    if _feeder is not None:
        _feeder.join(timeout)
    with _idle:
        ended = _idle.wait_for(lambda: _active == 0, timeout)
    DBOS.destroy()
    _body = None
    return ended


def _prepare(url: str) -> None:
    """Let readers and the writer of a SQLite file work side by side; the mode stays in the file."""
    from sqlalchemy import create_engine, make_url

    if make_url(url).get_backend_name() != "sqlite":
        return
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()


_defined: Callable[[str], str] | None = None


def _define(dbos: "type[DBOS]") -> None:
    """Declare the one workflow, once a process."""
    global _defined
    if _defined is not None:
        return

    @dbos.workflow(name=_WORKFLOW, max_recovery_attempts=1_000_000)
    def operation(operation_id: str) -> str:
        return _run(dbos, operation_id)

    _defined = operation


def _run(dbos: "type[DBOS]", operation_id: str) -> str:
    global _active
    body = _body
    if body is None:
        raise RuntimeError("the queue is not started")
    with _idle:
        _active += 1
    try:
        for name in body.begin(operation_id):
            outcome = dbos.run_step({"name": name}, body.step, operation_id, name)
            if outcome != "succeeded":
                return str(outcome)
        body.finish(operation_id)
    except Exception as error:
        log.exception("operation.broke", id=operation_id)
        body.broke(operation_id, error)
        return "failed"
    finally:
        with _idle:
            _active -= 1
            _idle.notify_all()
    return "succeeded"
