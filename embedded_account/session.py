"""One client's session: role, warehouse, schema, variables, temporary objects, and its lock."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from embedded_account.errors import SnowflakeError, does_not_exist, unsupported
from embedded_account.names import (
    OWN_PREFIX,
    ObjectName,
    SchemaName,
    duck,
    is_hidden_database,
    is_hidden_schema,
    shown,
)
from embedded_account.parameters import LONGEST_STATEMENT, parameter
from embedded_account.parse.cursor import Cursor
from embedded_account.running import Running

if TYPE_CHECKING:
    from embedded_account.account import Account
    from embedded_account.result import Result

KEPT_RESULTS = 200


def _aborted(failure: str) -> SnowflakeError:
    return SnowflakeError(
        f"Transaction was aborted by the failure of a statement in it, and its changes are undone: {failure}",
        625,
        "57014",
    )


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
        # What runs now, the innermost last.
        self.running: list[Running] = []
        self.temporary: dict[tuple[str, ObjectName], TemporaryObject] = {}
        self.results: OrderedDict[str, Result] = OrderedDict()
        self.last_query_ids: list[str] = []
        self.task: TaskContext | None = None
        self.lock = threading.RLock()
        self.duck: duckdb.DuckDBPyConnection = account.cursor()
        self.in_transaction = False
        # Whether the open transaction has changed anything, and why it can only be ended.
        self.transaction_wrote = False
        self.transaction_failure = ""
        self._writing = False
        self._after_commit: list[Callable[[], object]] = []
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
        self.account.locks.release(self)
        shutil.rmtree(self.files, ignore_errors=True)

    @property
    def outermost(self) -> Session:
        """The session of the client, in which this one's procedure and its callers run."""
        return self if self.parent is None else self.parent.outermost

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
        """Seconds a statement may take: the lower of the session's and the warehouse's limit.

        https://docs.snowflake.com/en/sql-reference/parameters#statement-timeout-in-seconds
        """
        limits = [int(parameter(self, "STATEMENT_TIMEOUT_IN_SECONDS"))]
        if self.warehouse:
            limits.append(self.account.statement_limit(self.warehouse))
        return float(min((limit for limit in limits if limit), default=LONGEST_STATEMENT))

    def idle_seconds(self) -> float:
        """Seconds since the last statement began."""
        return time.monotonic() - self.last_used

    def roll_back_if_idle(self, seconds: float) -> None:
        """Undo a transaction that nobody went on with; nothing if a statement runs now."""
        if not self.lock.acquire(blocking=False):
            return
        try:
            if self.in_transaction and self.idle_seconds() > seconds:
                self.end_transaction("ROLLBACK")
                self.account.locks.release(self)
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
        if is_hidden_database(name.database):
            raise does_not_exist("Database", shown(name.database))
        if is_hidden_schema(name.schema):
            raise does_not_exist("Schema", str(name))
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
            found = ObjectName(parents[0], parents[1], name)
        elif len(parents) == 1:
            found = ObjectName(self.current_database(), parents[0], name)
        else:
            found = ObjectName(self.current_database(), self.current_schema(), name)
        if is_hidden_database(found.database) or is_hidden_schema(found.schema):
            raise does_not_exist("Schema", str(found.parent))
        if name.startswith(OWN_PREFIX):
            raise unsupported(f"{shown(name)}, a name that begins with {OWN_PREFIX}")
        return found

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
            return duck(*name.temporary_address)
        return name.duck

    # ----- transactions

    def begin_transaction(self) -> None:
        self.duck.execute("BEGIN")
        self.in_transaction, self.transaction_wrote, self.transaction_failure = True, False, ""

    def end_transaction(self, word: str) -> None:
        """COMMIT or ROLLBACK.

        Raises:
            SnowflakeError: for COMMIT, if a statement's failure took the transaction's changes with it.
        """
        failure, self.transaction_failure = self.transaction_failure, ""
        actions, self._after_commit = self._after_commit, []
        self.in_transaction = False
        self.duck.execute("ROLLBACK" if failure else word)
        for action in actions if word == "COMMIT" and not failure else ():
            action()
        if failure and word == "COMMIT":
            raise _aborted(failure)

    def recover(self, failure: SnowflakeError, several_writes: bool) -> None:
        """After a failed statement: nothing stays open with autocommit on; a transaction goes on without it.

        DuckDB has no savepoints. It forgives an error found before execution; another one undoes the transaction, which
        goes on if it had changed nothing, and otherwise can only be ended, as with TRANSACTION_ABORT_ON_ERROR:
        https://docs.snowflake.com/en/sql-reference/parameters#transaction-abort-on-error

        Args:
            several_writes: the statement writes in several steps, of which DuckDB may have kept some.
        """
        if not self.in_transaction:
            with contextlib.suppress(duckdb.Error):
                self.duck.rollback()
            return
        try:
            self.duck.execute("SELECT 1").fetchall()
            forgiven = not several_writes
        except duckdb.ConnectionException:  # closed meanwhile
            return
        except duckdb.Error:
            forgiven = False
        if not forgiven:
            self._after_commit = []
            self.duck.rollback()
            self.duck.begin()
            self.transaction_failure = failure.message if self.transaction_wrote else ""

    def refuse_if_aborted(self) -> None:
        if self.transaction_failure:
            raise _aborted(self.transaction_failure)

    def after_commit(self, action: Callable[[], object]) -> None:
        """Do this once what was done is committed, which may be now, and not if it is rolled back."""
        if self.in_transaction:
            self._after_commit.append(action)
        else:
            action()

    def commit_before_ddl(self) -> None:
        """DDL commits an open transaction first: https://docs.snowflake.com/en/sql-reference/transactions#ddl"""
        if self.in_transaction:
            self.end_transaction("COMMIT")

    @contextlib.contextmanager
    def changing(self, database: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """One atomic DDL statement on a database's objects, catalog records included."""
        self.commit_before_ddl()
        with self.account.changing(database, self.duck) as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """DML of several steps as one: in the open transaction, or in one of its own."""
        if self.in_transaction or self._writing:
            yield
            return
        self.duck.execute("BEGIN")
        self._writing = True
        try:
            yield
            self.duck.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(duckdb.Error):
                self.duck.execute("ROLLBACK")
            raise
        finally:
            self._writing = False

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
