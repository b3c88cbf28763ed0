"""The engine of the catalogue database, and the two scopes in which it is used."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from services.core.errors import Unavailable
from services.core.revision import Revision

_BEGIN = "sqlite_begin"
_PAUSE_SECONDS = 0.5
# https://www.sqlite.org/rescode.html: SQLITE_BUSY and SQLITE_LOCKED; the upper bits say more.
_LOCKED = frozenset({5, 6})


class Database:
    """A catalogue database. ``read()`` and ``write()`` are the ways in; both commit or roll back at the end.

    On SQLite a write scope takes the write lock at its first statement, so that a transaction which reads
    and then writes waits for its turn instead of failing half-way.

    While another process keeps the database locked, a scope waits for ``timeout`` seconds and then raises
    Unavailable. Nothing of what it was to change is changed.
    """

    def __init__(self, url: str, timeout: float = 10.0, revision: Revision | None = None) -> None:
        self.url = url
        self.revision = revision or Revision()
        self.engine = _engine(url, timeout)
        self._pause: Callable[[float], None] | None = None
        self._reading = sessionmaker(self.engine, expire_on_commit=False)
        writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._writing = sessionmaker(writer, expire_on_commit=False)

    def patient(self, pause: Callable[[float], None]) -> "Database":
        """The same database for who can wait: its scopes begin once the lock is gone, however long that takes.

        ``pause(seconds)`` is called in between, and ends the wait by raising.
        """
        waiting = copy(self)
        waiting._pause = pause
        return waiting

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for queries."""
        with self._scope(self._reading) as db:
            yield db

    @contextmanager
    def write(self, shown: Literal["now", "soon", "never"] = "now") -> Iterator[Session]:
        """A session for changes: leaving it normally commits, an exception rolls back.

        ``shown`` says when pages show them: at once, within a moment (what comes in great numbers), or never.
        """
        with self._scope(self._writing) as db:
            yield db
        if shown == "now":
            self.revision.bump()
        elif shown == "soon":
            self.revision.bump_soon()

    @contextmanager
    def _scope(self, factory: sessionmaker[Session]) -> Iterator[Session]:
        """One transaction: commit on return, roll back on an exception."""
        with _told(), self._begun(factory) as db:
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()

    def _begun(self, factory: sessionmaker[Session]) -> Session:
        """A session whose transaction has begun: on SQLite, one that has the lock that it needs."""
        while True:
            db = factory()
            try:
                connection = db.connection()
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA schema_version")
            except (DBAPIError, sqlite3.OperationalError) as error:
                db.close()
                if self._pause is None or not _is_unavailable(error):
                    raise
                self._pause(_PAUSE_SECONDS)
            else:
                return db

    def ping(self) -> None:
        """Raise unless the database answers."""
        with self.read() as db:
            db.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    """What the driver raises for a database that does not answer, as one of our errors."""
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.OperationalError) as error:
        if not _is_unavailable(error):
            raise
        raise Unavailable(
            "The catalogue database does not answer",
            hint="Another process may hold it locked. Try again in a moment.",
            code="database_unavailable",
        ) from error


def _is_unavailable(error: Exception) -> bool:
    if isinstance(error, PoolTimeout):
        return True
    driver = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver, sqlite3.Error):
        return (getattr(driver, "sqlite_errorcode", 0) & 0xFF) in _LOCKED
    return isinstance(error, OperationalError)


def _engine(url: str, timeout: float) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=10)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=10, max_overflow=20)
    event.listen(engine, "connect", _prepare_sqlite(timeout))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(timeout: float) -> Callable[[Any, Any], None]:
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin late and not before SELECT; ours are begun by the event below.
        connection.isolation_level = None
        busy = f"busy_timeout={round(timeout * 1000)}"
        for pragma in (busy, "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    return prepare


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
