"""One client's session: role, warehouse, schema, variables, temporary objects, and its lock."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from embedded_account.errors import SnowflakeError, does_not_exist
from embedded_account.names import ObjectName, SchemaName, duck, shown
from embedded_account.parse.cursor import Cursor

if TYPE_CHECKING:
    from embedded_account.account import Account
    from embedded_account.result import Result

KEPT_RESULTS = 200


@dataclass(frozen=True)
class TaskContext:
    """What the context functions of a task body answer (SYSTEM$GET_PREDECESSOR_RETURN_VALUE and its like)."""

    run: Any
    name: str


@dataclass
class TemporaryObject:
    """A temporary table, stage, file format, function or procedure: it ends with its session."""

    kind: str
    body: dict[str, Any] = field(default_factory=dict)


class Session:
    """Statements of one session run one after another, under `lock`."""

    def __init__(self, account: Account, role: str = "ACCOUNTADMIN") -> None:
        self.account = account
        self.id = account.next_session_id()
        self.token = secrets.token_urlsafe(32)
        self.master_token = secrets.token_urlsafe(32)
        self.user = account.user
        self.role = role
        self.warehouse: str | None = None
        # Whether Snowflake brings the compute: a task without a warehouse of its own.
        self.serverless = False
        self.database: str | None = None
        self.schema: str | None = None
        self.parameters: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        self.temporary: dict[tuple[str, ObjectName], TemporaryObject] = {}
        self.results: OrderedDict[str, Result] = OrderedDict()
        self.last_query_ids: list[str] = []
        self.task: TaskContext | None = None
        self.lock = threading.RLock()
        self.duck: duckdb.DuckDBPyConnection = account.cursor()
        self.in_transaction = False
        self.last_used = time.monotonic()
        self.autocommit = True
        self.closed = False
        # The session whose procedure this one serves.
        self.parent: Session | None = None
        self.cancelled = threading.Event()
        self.request_id = ""
        # The stage of the last PUT.
        self.bound_stage = ""
        # Name and version of the client's library.
        self.client = ("", "")
        self._scratch = 0
        account.sessions[self.token] = self

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.account.sessions.pop(self.token, None)
        with contextlib.suppress(duckdb.Error):
            self.duck.interrupt()
        with self.lock, contextlib.suppress(duckdb.Error):
            self.duck.close()
        shutil.rmtree(self.files, ignore_errors=True)

    @property
    def files(self) -> Path:
        """Folder of this session's temporary stages."""
        return self.account.data / "temporary" / str(self.id)

    @property
    def query_tag(self) -> str:
        return str(self.parameters.get("QUERY_TAG", ""))

    def inherit(self, caller: Session) -> None:
        """Become the session of a procedure that `caller` called."""
        self.parent = caller
        self.role, self.warehouse, self.user = caller.role, caller.warehouse, caller.user
        self.serverless = caller.serverless
        self.use(caller.database, caller.schema) if caller.database else None
        self.task = caller.task
        self.variables = dict(caller.variables)
        self.parameters = {k: v for k, v in caller.parameters.items() if k == "QUERY_TAG"}

    def statement_timeout(self) -> float:
        """Seconds a statement may take (STATEMENT_TIMEOUT_IN_SECONDS)."""
        return float(self.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS", 172800))

    def idle_seconds(self) -> float:
        """Seconds since the last statement began."""
        return time.monotonic() - self.last_used

    def roll_back_if_idle(self, seconds: float) -> None:
        """Undo a transaction that nobody went on with; nothing if a statement runs now."""
        if not self.lock.acquire(blocking=False):
            return
        try:
            if self.in_transaction and self.idle_seconds() > seconds:
                self.in_transaction = False
                self.duck.execute("ROLLBACK")
        finally:
            self.lock.release()

    def abort(self) -> None:
        """Cancel what runs now."""
        self.cancelled.set()
        with contextlib.suppress(duckdb.Error):
            self.duck.interrupt()

    # ----- names

    def resolve_schema(self, parts: tuple[str, ...]) -> SchemaName:
        """A schema from one part (in the current database) or two; without parts the current one."""
        if len(parts) == 2:
            name = SchemaName(*parts)
        elif len(parts) == 1:
            name = SchemaName(self.current_database(), parts[0])
        elif not parts:
            name = SchemaName(self.current_database(), self.current_schema())
        else:
            raise does_not_exist("Schema", ".".join(map(shown, parts)))
        if not self.account.has_database(name.database):
            raise does_not_exist("Database", shown(name.database))
        return name

    def existing_schema(self, parts: tuple[str, ...]) -> SchemaName:
        name = self.resolve_schema(parts)
        if not self.account.has_schema(name.database, name.schema):
            raise does_not_exist("Schema", str(name))
        return name

    def resolve(self, parts: tuple[str, ...]) -> ObjectName:
        """A fully qualified name from one to three parts, by the session's database and schema."""
        if not 1 <= len(parts) <= 3:
            raise does_not_exist("Object", ".".join(map(shown, parts)))
        *parents, name = parts
        if len(parents) == 2:
            return ObjectName(parents[0], parents[1], name)
        if len(parents) == 1:
            return ObjectName(self.current_database(), parents[0], name)
        return ObjectName(self.current_database(), self.current_schema(), name)

    def resolve_text(self, text: str) -> ObjectName:
        """The same from text, e.g. '"DB".S.T'."""
        cursor = Cursor(text)
        parts = cursor.name()
        cursor.end()
        return self.resolve(parts)

    def current_database(self) -> str:
        if self.database is None:
            raise SnowflakeError(
                "Cannot perform operation. This session does not have a current database. "
                "Call 'USE DATABASE', or use a qualified name.",
                90105,
                "22000",
            )
        return self.database

    def current_schema(self) -> str:
        if self.schema is None:
            raise SnowflakeError(
                "Cannot perform operation. This session does not have a current schema. "
                "Call 'USE SCHEMA', or use a qualified name.",
                90106,
                "22000",
            )
        return self.schema

    def use(self, database: str, schema: str | None) -> None:
        self.database = database
        self.schema = schema

    # ----- temporary objects

    def find_temporary(self, kind: str, name: ObjectName) -> TemporaryObject | None:
        return self.temporary.get((kind, name))

    def table_address(self, name: ObjectName) -> str:
        """Where DuckDB holds this table or view: the session's temporary one hides a permanent one."""
        if ("TABLE", name) in self.temporary:
            return duck("temp", "main", str(name))
        return name.duck

    # ----- transactions

    def commit_before_ddl(self) -> None:
        """DDL commits an open transaction first: https://docs.snowflake.com/en/sql-reference/transactions#ddl"""
        if self.in_transaction:
            self.duck.execute("COMMIT")
            self.in_transaction = False

    @contextlib.contextmanager
    def changing(self, database: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """One atomic DDL statement on a database's objects, catalog records included."""
        self.commit_before_ddl()
        with self.account.changing(database, self.duck) as connection:
            yield connection

    # ----- results and scratch names

    def keep(self, result: Result) -> None:
        """Remember a result for RESULT_SCAN and for fetching by query id."""
        self.results[result.query_id] = result
        self.last_query_ids.append(result.query_id)
        del self.last_query_ids[:-KEPT_RESULTS]
        while len(self.results) > KEPT_RESULTS:
            self.results.popitem(last=False)

    def scratch_name(self, prefix: str) -> str:
        self._scratch += 1
        return f"__{prefix}_{self.id}_{self._scratch}"
