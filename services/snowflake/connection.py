"""How the service reaches the account: resolve the connection, open it, keep a few at hand for reading."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from services.core.errors import Unavailable
from services.core.hub import Declaration
from services.core.settings import AccountSettings
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.failures import is_connection_failure, lacks_warehouse, translate
from services.snowflake.pace import EMBEDDED, LIVE, Pace

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from services.snowflake.recording import RecordedConnection, Recorder

_IDLE_SECONDS = 240.0
_KEPT = 4
_WARM = threading.Lock()


class ConnectionSource:
    """Opens connections to one account.

    Options everywhere: role, warehouse, database, schema, session_parameters. A connection names the hub's
    warehouse and role unless it is asked for others. Driver errors of opening are translated: Unavailable when
    the account does not answer, SnowflakeFailed when it refuses.
    """

    def __init__(
        self,
        settings: AccountSettings,
        embedded: EmbeddedAccount | None = None,
        hub: Declaration | None = None,
    ) -> None:
        if settings.kind == "embedded" and embedded is None:
            raise ValueError("the embedded account needs its launcher")
        self._settings = settings
        self._embedded = embedded
        self._idle: dict[str, list[tuple[float, RecordedConnection]]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._hub = hub
        self._defaults: dict[str, Any] | None = None
        self._defaults_lock = threading.Lock()
        self._era = 0
        # When the account answered last; None when it did not the last time it was asked.
        self._answered: float | None = None

    @property
    def kind(self) -> str:
        """named, container or embedded."""
        return self._settings.kind

    @property
    def pace(self) -> Pace:
        """How often this account may be asked."""
        return EMBEDDED if self._settings.kind == "embedded" else LIVE

    @property
    def name(self) -> str:
        """The account in use, as a person calls it."""
        if self._settings.kind == "named":
            return f"connection {self._settings.connection}"
        if self._settings.kind == "container":
            return str(self._settings.container_account)
        return "embedded account"

    def parameters(self, **options: Any) -> dict[str, Any]:
        """The connector's parameters, as of now; asked for each connection, as they may change."""
        settings = self._settings
        parameters: dict[str, Any]
        if settings.kind == "named":
            parameters = {"connection_name": settings.connection}
        elif settings.kind == "container":
            # The token is exchanged every few minutes, so it is read for each connection.
            # https://docs.snowflake.com/en/developer-guide/snowpark-container-services/spcs-execute-sql
            try:
                token = settings.token_path.read_text().strip()
            except OSError as error:
                raise Unavailable(
                    f"The token {settings.token_path} cannot be read: {error.strerror}",
                    hint="Only a container service of the account has it.",
                ) from None
            parameters = {
                "host": settings.container_host,
                "account": settings.container_account,
                "authenticator": "oauth",
                "token": token,
            }
        else:
            assert self._embedded is not None
            parameters = {**self._embedded.address().parameters(), "platform_detection_timeout_seconds": 0}
        given = {key: value for key, value in options.items() if value is not None}
        return {**parameters, "application": "Spokehub", **self._hub_defaults(parameters), **given}

    def renew(self) -> None:
        """Let go of the connections at hand: a session gets its warehouse when it begins, or not at all."""
        with self._lock:
            self._era += 1
            kept = [connection for entries in self._idle.values() for _, connection in entries]
            self._idle.clear()
        for connection in kept:
            with suppress(Exception):
                connection.close()

    def _hub_defaults(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The hub's warehouse and role, as far as the connection does not say otherwise itself.

        In a container the token is of one role, so none is named.
        """
        if self._hub is None:
            return {}
        with self._defaults_lock:
            if self._defaults is None:
                # Two threads that load the driver at once wait for each other's import locks.
                with _WARM:
                    from services.snowflake.administration import named_role, prepare
                role: str | None = self._hub.service_role
                if self._settings.kind == "named":
                    role = named_role(self._settings.connection) or role
                elif self._settings.kind == "container":
                    role = None
                else:
                    role = prepare(parameters, self._hub)
                found = {"warehouse": self._hub.warehouse.name, "role": role}
                self._defaults = {key: value for key, value in found.items() if value is not None}
            return self._defaults

    @contextmanager
    def open(
        self, *, recorder: "Recorder | None" = None, tag: dict[str, str] | None = None, **options: Any
    ) -> Iterator["RecordedConnection"]:
        """A fresh connection, closed at the end. ``tag`` becomes its QUERY_TAG, as JSON."""
        connection = self._connect(recorder, tag, options)
        try:
            yield connection
        finally:
            with suppress(Exception):
                connection.close()

    @contextmanager
    def session(
        self, *, recorder: "Recorder | None" = None, tag: dict[str, str] | None = None, **options: Any
    ) -> Iterator["Session"]:
        """A Snowpark session over a fresh connection, closed at the end."""
        from snowflake.snowpark import Session

        with self.open(recorder=recorder, tag=tag, **options) as connection:
            session = Session.builder.configs({"connection": connection}).create()
            try:
                yield session
            finally:
                with suppress(Exception):
                    session.close()

    def reading(self, **options: Any) -> AbstractContextManager["RecordedConnection"]:
        """A connection for reading, taken from those at hand or opened; given back at the end.

        Not for statements that change the session (USE, ALTER SESSION, temporary objects).
        """
        return self._reading(json.dumps(options, sort_keys=True, default=str), options)

    def query(self, text: str, values: tuple[Any, ...] = (), **options: Any) -> list[dict[str, Any]]:
        """The rows of one statement, each as a dict by column name. ``values`` are bound to ``%s``."""
        with self.reading(**options) as connection:
            try:
                with connection.cursor() as cursor:
                    cursor.execute(text, values or None)
                    names = [column.name for column in cursor.description or ()]
                    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            except Exception as error:
                translated = translate(error)
                if translated is None:
                    raise
                raise translated from error

    def ping(self, within: float = 0.0) -> None:
        """Raise unless the account answers a query; it is not asked when it answered ``within`` seconds."""
        if self._embedded is not None and not self._embedded.ready:
            raise self._embedded.trouble
        answered = self._answered
        if answered is None or time.monotonic() - answered > within:
            self.query("SELECT 1")

    def close(self) -> None:
        """Close what is at hand."""
        with self._lock:
            self._closed = True
            kept = [connection for entries in self._idle.values() for _, connection in entries]
            self._idle.clear()
        for connection in kept:
            with suppress(Exception):
                connection.close()

    @contextmanager
    def _reading(self, key: str, options: dict[str, Any]) -> Iterator["RecordedConnection"]:
        connection = self._take(key) or self._connect(None, {"purpose": "read"}, options)
        try:
            yield connection
        except BaseException as error:
            if isinstance(error, Exception) and not (is_connection_failure(error) or lacks_warehouse(error)):
                self._answered = time.monotonic()
                self._give(key, connection)
            else:
                self._answered = None
                # It may be broken, or in the midst of a statement.
                with suppress(Exception):
                    connection.close()
            raise
        self._answered = time.monotonic()
        self._give(key, connection)

    def _take(self, key: str) -> "RecordedConnection | None":
        now = time.monotonic()
        stale = []
        found = None
        with self._lock:
            entries = self._idle.get(key, [])
            while entries and found is None:
                since, connection = entries.pop()
                if now - since > _IDLE_SECONDS or not self._current(connection):
                    stale.append(connection)
                else:
                    found = connection
        for connection in stale:
            with suppress(Exception):
                connection.close()
        return found

    def _give(self, key: str, connection: "RecordedConnection") -> None:
        with self._lock:
            entries = self._idle.setdefault(key, [])
            if not self._closed and self._current(connection) and len(entries) < _KEPT:
                entries.append((time.monotonic(), connection))
                return
        with suppress(Exception):
            connection.close()

    def _current(self, connection: "RecordedConnection") -> bool:
        """Whether the connection leads to the account that runs now, and is of the time since ``renew``."""
        runs = self._embedded is None or connection.embedded_start == self._embedded.starts
        return runs and bool(connection.era == self._era)

    def _connect(
        self, recorder: "Recorder | None", tag: dict[str, str] | None, options: dict[str, Any]
    ) -> "RecordedConnection":
        # Two threads that load the driver at once wait for each other's import locks.
        with _WARM:
            from services.snowflake.recording import RecordedConnection
        starts, era = (self._embedded.starts if self._embedded is not None else 0), self._era
        try:
            parameters = self.parameters(**options)
            if tag is not None:
                session_parameters = dict(parameters.get("session_parameters") or {})
                session_parameters["QUERY_TAG"] = json.dumps({"app": "spokehub", **tag}, sort_keys=True)
                parameters["session_parameters"] = session_parameters
            connection = RecordedConnection(**parameters)
        except Exception as error:
            self._answered = None
            translated = translate(error)
            if translated is None:
                raise
            raise translated from error
        self._answered = time.monotonic()
        connection.embedded_start, connection.era = starts, era
        connection.recorder = recorder
        return connection
