"""The durable queue: DBOS Transact, which starts each run of an operation once and again after a crash.

DBOS keeps one instance a process, so this module does too. The version and the executor are fixed names:
with either changing, a new process would leave the work of the one before it lying.

DBOS polls for work. Here its worker waits on a bell instead, which rings for each run that is queued in this
process; it looks unrung only for what others queue, when their commits changed the database.
"""

import contextvars
import sqlite3
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, cast

from services.core.lean import release
from services.core.logging import logger

if TYPE_CHECKING:
    from dbos import DBOS, Queue

QUEUE = "operations"
_WORKFLOW = "operation"
_VERSION = "1"
_EXECUTOR = _NAME = "spokehub"
# How long to wait before an operation is passed on to another process again; then the next start takes it up.
_PASS_ON_WAITS = (0.2, 0.5, 1.0, 2.0, 5.0)
# What DBOS would wait between two looks; it asks for more when databases contend.
_POLL_SECONDS = 0.2
# How long the bell lets it wait: with nothing running here, while something runs, and just after a run's end,
# which DBOS writes down a moment later.
_IDLE_SECONDS, _BUSY_SECONDS, _SOON_SECONDS = 2.0, 0.5, 0.03
_SOON_LASTS = 0.5
# A look asks several questions, most of what an idle service does: it waits for a change, but no longer than this.
_LOOK_SECONDS = 30.0
# Threads of DBOS for what nothing here uses: its own queues; delays and time limits of runs; schedules. Each asks
# the database once a second.
_UNUSED = ("queue_thread", "background_jobs_thread", "dynamic_scheduler_loop")

log = logger(__name__)


class Body(Protocol):
    """What one run does: ``steps`` names them, ``step`` does one and says whether to go on."""

    def begin(self, operation_id: str) -> list[str]: ...

    def step(self, operation_id: str, name: str) -> str: ...

    def finish(self, operation_id: str) -> None: ...

    def broke(self, operation_id: str, error: Exception) -> None: ...


Handed = SimpleQueue[tuple[str, int, str] | None]


class Commits:
    """Those to the queue's database: told by SQLite without a lock, and by no other database.

    https://www.sqlite.org/pragma.html#pragma_data_version
    """

    def __init__(self, url: str) -> None:
        from sqlalchemy import make_url

        parsed = make_url(url)
        self._file = parsed.database if parsed.get_backend_name() == "sqlite" else None
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None

    def any(self) -> bool:
        """Whether there may have been some since the last time."""
        if self._file is None:
            return True
        try:
            if self._connection is None:
                # Asked by one thread at a time.
                self._connection = sqlite3.connect(self._file, check_same_thread=False)
            (found,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()
            return True
        before, self._seen = self._seen, found
        return before != found

    def close(self) -> None:
        connection, self._connection, self._seen = self._connection, None, None
        if connection is not None:
            connection.close()


class Bell:
    """What DBOS's worker waits on, in the place of the event that stops it."""

    def __init__(self, commits: Commits | None = None) -> None:
        self._changed = threading.Condition()
        self._rung = self._stopped = False
        self._soon = 0.0
        self._commits = commits

    def ring(self) -> None:
        """Something was queued: look at once."""
        with self._changed:
            self._rung = True
            self._changed.notify_all()

    def ring_soon(self) -> None:
        """A run is about to end, and lets the next of its kind begin."""
        with self._changed:
            self._soon = time.monotonic() + _SOON_LASTS
            self._changed.notify_all()

    def set(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def is_set(self) -> bool:
        return self._stopped

    def wait(self, timeout: float) -> bool:
        """Until it is time to look, or to stop, which returns True."""
        with self._changed:
            if timeout > 2 * _POLL_SECONDS:
                # Databases contend: the worker means it.
                return self._changed.wait_for(lambda: self._stopped, timeout)
            first = begun = time.monotonic()
            while not (self._rung or self._stopped):
                left = begun + self._pause() - time.monotonic()
                if left <= 0:
                    if self._due(first):
                        break
                    begun = time.monotonic()
                    continue
                self._changed.wait(left)
            self._rung = False
            return self._stopped

    def _due(self, since: float) -> bool:
        """Whether a look may find anything. What commits now is seen by the look, or by the next one."""
        if _active or self._commits is None or time.monotonic() - since > _LOOK_SECONDS:
            return True
        return time.monotonic() < self._soon or self._commits.any()

    def _pause(self) -> float:
        if time.monotonic() < self._soon:
            return _SOON_SECONDS
        return _BUSY_SECONDS if _active else _IDLE_SECONDS


_body: Body | None = None
_handed: Handed = SimpleQueue()
_feeder: threading.Thread | None = None
_worker: threading.Thread | None = None
_bell = Bell()
_active = 0
_idle = threading.Condition()


def start(url: str, body: Body) -> None:
    """Connect to the queue's database, make it if need be, and take up what was interrupted."""
    global _body, _feeder, _handed, _worker, _bell
    # Imported here: with what it brings it takes half a second, which a command that only asks need not pay.
    from dbos import DBOS, DBOSConfig

    _define(DBOS)
    _body = body
    _prepare(url)
    config = DBOSConfig(
        name=_NAME,
        system_database_url=url,
        application_version=_VERSION,
        executor_id=_EXECUTOR,
        log_level="WARNING",
        use_listen_notify=False,
    )
    dbos = DBOS(config=config)
    DBOS.launch()
    queue = DBOS.register_queue(QUEUE, partition_concurrency=1, polling_interval_sec=_POLL_SECONDS)
    # Should an earlier start not have been stopped, its worker ends here: there is one.
    _bell.set()
    commits = Commits(url)
    _bell = Bell(commits)
    _worker = threading.Thread(
        target=_work, args=(_bell, commits, dbos, queue), name="operations-worker", daemon=True
    )
    _worker.start()
    _handed = SimpleQueue()
    _feeder = threading.Thread(target=_feed, args=(_handed,), name="operations-feeder", daemon=True)
    _feeder.start()


def ask(url: str) -> None:
    """Only hand over: another process works on what is queued. ``start`` or ``stop_asking`` ends it."""
    global _feeder, _handed
    _handed = SimpleQueue()
    _feeder = threading.Thread(target=_pass_on, args=(_handed, url), name="operations-feeder", daemon=True)
    _feeder.start()


def stop_asking(timeout: float) -> None:
    """Hand over nothing more. What was not passed on is in the catalogue, and taken up by whoever starts next."""
    _handed.put(None)
    if _feeder is not None:
        _feeder.join(timeout)


def hand_over(operation_id: str, run: int, queue_key: str) -> None:
    """``enqueue`` without waiting for the queue's database, which another process may hold locked.

    The catalogue knows the run already: should this process end before, the next start takes it up.
    """
    _handed.put((operation_id, run, queue_key))


def _work(bell: Bell, commits: Commits, dbos: "DBOS", queue: "Queue") -> None:
    from dbos._queue import queue_worker_thread

    while not bell.is_set():
        # It returns when somebody removed the queue's row, which the next start makes again.
        queue_worker_thread(cast("threading.Event", bell), dbos, queue)
        bell.wait(_POLL_SECONDS)
    commits.close()


def _feed(handed: Handed) -> None:
    while (item := handed.get()) is not None:
        try:
            enqueue(*item)
        except Exception:
            log.exception("operation.not_queued", id=item[0], note="the next start takes it up")


def _pass_on(handed: Handed, url: str) -> None:
    from dbos import DBOSClient

    client: DBOSClient | None = None
    while (item := handed.get()) is not None:
        for wait in _PASS_ON_WAITS:
            try:
                client = client or DBOSClient(system_database_url=url)
                client.enqueue({**_options(*item), "application_name": _NAME}, item[0])
                break
            except Exception:
                log.exception("operation.not_queued", id=item[0], again_in=wait)
                time.sleep(wait)
    if client is not None:
        client.destroy()


def enqueue(operation_id: str, run: int, queue_key: str) -> None:
    """Queue one run of an operation. Doing so twice is doing so once."""
    # In a context of its own: a step may do this, and DBOS would take the new run for a part of that step.
    contextvars.Context().run(_enqueue, operation_id, run, queue_key)


def _enqueue(operation_id: str, run: int, queue_key: str) -> None:
    from dbos import DBOS

    DBOS.enqueue_workflow_with_options(_options(operation_id, run, queue_key), operation_id)
    _bell.ring()


def _options(operation_id: str, run: int, queue_key: str) -> Any:
    return {
        "workflow_name": _WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": f"{operation_id}:{run}",
        "queue_partition_key": queue_key,
        "app_version": _VERSION,
    }


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
    _bell.set()
    with _idle:
        ended = _idle.wait_for(lambda: _active == 0, timeout)
    if _worker is not None:
        _worker.join(timeout)
    DBOS.destroy()
    _body = None
    return ended


def at_rest() -> bool:
    """Whether nothing runs here."""
    return _active == 0


def discard() -> None:
    """Leave nothing of a start that failed."""
    global _body
    from dbos import DBOS

    _bell.set()
    _handed.put(None)
    DBOS.destroy()
    _body = None


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
    """Declare the one workflow, and leave out what it does not need; once a process."""
    global _defined
    from dbos import _dbos as launching

    if _defined is not None:
        return
    for name in _UNUSED:
        getattr(launching, name)
        setattr(launching, name, _nothing)

    @dbos.workflow(name=_WORKFLOW, max_recovery_attempts=1_000_000)
    def operation(operation_id: str) -> str:
        return _run(dbos, operation_id)

    _defined = operation


def _nothing(_stop: threading.Event, _asked: "DBOS | float") -> None:
    """In the place of a thread's work."""


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
        _bell.ring_soon()
        # Rows that it read, plans that it compared: what it worked with.
        release()
    return "succeeded"
