"""Opens and closes one account: its files, its DuckDB, its sessions.

Layout of the data folder:
    account.duckdb           what spans databases: roles, warehouses, compute pools, parameters, history
    databases/<NAME>.duckdb  one file for each Snowflake database, its catalog inside
    files/                   stage, dataset and model files, addressed by the id in their catalog record
    temporary/               files of sessions; emptied when the account opens

Opening finishes or undoes what a crash left: a database file without its PUBLIC schema, files without a record.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import duckdb

from embedded_account import data_format
from embedded_account.catalog import SCHEMA, Catalog, Record
from embedded_account.deadlines import Deadlines
from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.grants import KIND as GRANT
from embedded_account.grants import GrantIndex
from embedded_account.locks import TableLocks
from embedded_account.meters import settings
from embedded_account.names import duck, literal, real, shown
from embedded_account.tickets import Tickets
from embedded_account.translate import macros

if TYPE_CHECKING:
    from embedded_account.compute import ComputePool
    from embedded_account.errors import SnowflakeError
    from embedded_account.running import Running
    from embedded_account.session import Session
    from embedded_account.tasks.engine import TaskEngine

# (session, the statement, seconds, rows, error)
QueryRecorder = Callable[["Session", "Running", float, int, "SnowflakeError | None"], None]
ACCOUNT = "__account"
HIDDEN_SCHEMAS = ("main", SCHEMA)
# Of the database SNOWFLAKE, which every account has: https://docs.snowflake.com/en/sql-reference/snowflake-db-roles
DATABASE_ROLES = tuple(
    f"SNOWFLAKE.{name}" for name in ("OBJECT_VIEWER", "USAGE_VIEWER", "GOVERNANCE_VIEWER", "SECURITY_VIEWER")
)
SYSTEM_ROLES = ("ACCOUNTADMIN", "SYSADMIN", "SECURITYADMIN", "USERADMIN", "ORGADMIN", "PUBLIC")


class Account:
    """One open account. Thread-safe; every session and worker thread uses a DuckDB cursor of its own."""

    def __init__(self, data: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        # DuckDB compares whole paths with the folders that it may read.
        self.data = data.resolve()
        self.address = f"http://{host}:{port}"
        self.tickets = Tickets(host, port)
        self.name = "EMBEDDED"
        # The administrator; its warehouse unless a session names another, as a property of the user.
        self.user = "SPOKEHUB"
        self.default_warehouse: str | None = None
        # How old a thing is before ACCOUNT_USAGE shows it.
        self.usage_delay = timedelta()
        self.sessions: dict[str, Session] = {}
        self.token_secret = secrets.token_bytes(32)
        self.compute: ComputePool | None = None
        self.tasks: TaskEngine | None = None
        self.record_query: QueryRecorder | None = None
        self.deadlines = Deadlines()
        self.locks = TableLocks()
        self.closing = threading.Event()
        self.on_close: list[Callable[[], None]] = []
        # Called by the scheduler with the time: what refreshes by itself.
        self.refresh_due: list[Callable[[Account, datetime], None]] = []
        self.catalog = Catalog(ACCOUNT)
        self._catalogs: dict[str, Catalog] = {}
        self._warehouses: dict[str, Record | None] = {}
        # Grows whenever a database or schema comes or goes.
        self.generation = 0
        self._schemas: dict[str, set[str]] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._lock = threading.RLock()
        self._session_ids = iter(range(secrets.randbelow(1 << 40), 1 << 62))
        self._open()

    # ----- opening and closing

    def _open(self) -> None:
        data_format.require(self.data)
        for folder in ("databases", "files", "temporary"):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.data / "temporary")
        (self.data / "temporary").mkdir()
        self.duck = duckdb.connect(":memory:", config={"lambda_syntax": "ENABLE_SINGLE_ARROW"})
        macros.create(self.duck)
        self._attach(ACCOUNT, self.data / "account.duckdb")
        self._lock_duck()
        self.catalog.create(self.duck)
        settings.create(self.duck)
        for role in SYSTEM_ROLES:
            if not self.catalog.get(self.duck, "ROLE", "", role):
                self.catalog.put(self.duck, Record("ROLE", "", role, owner=""))
        for name in DATABASE_ROLES:
            if not self.catalog.get(self.duck, "DATABASE ROLE", "", name):
                self.catalog.put(self.duck, Record("DATABASE ROLE", "", name, owner=""))
        self.grants = GrantIndex(self.catalog.list(self.duck, GRANT, ""))
        for path in sorted((self.data / "databases").glob("*.duckdb")):
            self._open_database(unquote(path.stem), path)

    def _lock_duck(self) -> None:
        """From here on DuckDB reaches the account's own folders only, and nobody changes how it is set.

        https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
        """
        folders = [literal(str(self.data / name)) for name in ("databases", "files", "temporary")]
        for name, value in (
            # Division by zero and arguments outside a function's domain are errors.
            ("ieee_floating_point_ops", "false"),
            ("TimeZone", "'UTC'"),
            # Each session has a time zone of its own.
            ("allowed_configs", "['TimeZone']"),
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
            ("allow_community_extensions", "false"),
            ("allow_persistent_secrets", "false"),
            ("python_enable_replacements", "false"),
            ("default_transaction_invalidation_policy", "'SYNTACTIC_ERRORS_DO_NOT_INVALIDATE'"),
            ("temp_directory", literal(str(self.data / "temporary" / "duckdb"))),
            ("allowed_directories", f"[{', '.join(folders)}]"),
            ("enable_external_access", "false"),
            ("lock_configuration", "true"),
        ):
            self.duck.execute(f"SET GLOBAL {name} = {value}")

    def _attach(self, name: str, path: Path) -> None:
        self.duck.execute(f"ATTACH {literal(str(path))} AS {duck(name)}")

    def _open_database(self, name: str, path: Path) -> None:
        self._attach(name, path)
        catalog = Catalog(name)
        schemas = {
            real(row[0])
            for row in self.duck.execute(
                "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ?", [name]
            ).fetchall()
        }
        if SCHEMA not in schemas:  # a crash between making the file and filling it
            self.duck.execute(f"DETACH {duck(name)}")
            path.unlink()
            path.with_suffix(".duckdb.wal").unlink(missing_ok=True)
            return
        catalog.create(self.duck)
        catalog.compact(self.duck)
        self._catalogs[name] = catalog
        self._schemas[name] = schemas - set(HIDDEN_SCHEMAS)

    def close(self) -> None:
        """End every session and write all files out."""
        self.closing.set()
        for action in reversed(self.on_close):
            action()
        for session in list(self.sessions.values()):
            session.close()
        self.deadlines.close()
        for name in [*self._catalogs, ACCOUNT]:
            with contextlib.suppress(duckdb.Error):
                self.duck.execute(f"CHECKPOINT {duck(name)}")
        self.duck.close()

    # ----- connections

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self.duck.cursor()

    def next_session_id(self) -> int:
        with self._lock:
            return next(self._session_ids)

    def lock(self, database: str) -> threading.RLock:
        """Serialises changes to the objects (not the rows) of one database."""
        with self._lock:
            return self._locks.setdefault(database, threading.RLock())

    @contextlib.contextmanager
    def changing(
        self, database: str, connection: duckdb.DuckDBPyConnection
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """One atomic change to a database's objects: all of the block or nothing."""
        with self.lock(database):
            connection.execute("BEGIN")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
                raise

    # ----- compute

    def has_python(self) -> bool:
        """Whether there is anything that a worker of the compute would run."""
        with contextlib.closing(self.cursor()) as connection:
            return any(
                catalog.list(connection, kind)
                for catalog in list(self._catalogs.values())
                for kind in ("PROCEDURE", "FUNCTION", "MODEL")
            )

    def expect_python(self) -> None:
        """Begin to load the libraries of Python, which takes seconds: something was made that may be called soon."""
        if self.compute is not None:
            # Closed by now: nothing will be called any more.
            with contextlib.suppress(RuntimeError):
                self.compute.prepare()

    # ----- databases and schemas

    def databases(self) -> list[str]:
        return sorted(self._catalogs)

    def schemas(self, database: str) -> list[str]:
        return sorted(self._schemas.get(database, ()))

    def catalog_of(self, database: str) -> Catalog:
        catalog = self._catalogs.get(database)
        if catalog is None:
            raise does_not_exist("Database", shown(database))
        return catalog

    def is_view(self, connection: duckdb.DuckDBPyConnection, database: str, schema: str, name: str) -> bool:
        """Whether what DuckDB holds under this address is a view of a user's."""
        catalog = self._catalogs.get(database)
        return catalog is not None and catalog.get(connection, "VIEW", real(schema), real(name)) is not None

    def has_database(self, name: str) -> bool:
        return name in self._catalogs or name == "SNOWFLAKE"

    def has_schema(self, database: str, schema: str) -> bool:
        return schema in self._schemas.get(database, ()) or schema == "INFORMATION_SCHEMA"

    def create_database(self, record: Record) -> None:
        """Make the file whole under another name first, so that a crash leaves no half database."""
        name = record.name
        with self._lock:
            if self.has_database(name):
                raise already_exists(shown(name))
            if any(name.casefold() == other.casefold() for other in self._catalogs):
                raise unsupported(f"databases whose names differ only in case, as {shown(name)}")
            path = self.data / "databases" / f"{quote(name, safe='')}.duckdb"
            self._attach(name, path)
            catalog = Catalog(name)
            connection = self.cursor()
            with self.changing(name, connection):
                catalog.create(connection)
                connection.execute(f"CREATE SCHEMA {duck(name, 'PUBLIC')}")
                catalog.put(connection, record)
                catalog.put(connection, Record("SCHEMA", "", "PUBLIC", record.owner))
            connection.close()
            self._catalogs[name] = catalog
            self._schemas[name] = {"PUBLIC"}
            self.generation += 1

    def drop_database(self, name: str) -> None:
        with self._lock, self.lock(name):
            catalog = self._catalogs.pop(name, None)
            if catalog is None:
                raise does_not_exist("Database", shown(name))
            self._schemas.pop(name, None)
            self.generation += 1
            self.duck.execute(f"DETACH {duck(name)}")
            path = self.data / "databases" / f"{quote(name, safe='')}.duckdb"
            path.unlink()
            path.with_suffix(".duckdb.wal").unlink(missing_ok=True)
            shutil.rmtree(self.data / "files" / quote(name, safe=""), ignore_errors=True)

    def schema_created(self, database: str, schema: str) -> None:
        with self._lock:
            self._schemas[database].add(schema)
            self.generation += 1

    def schema_dropped(self, database: str, schema: str) -> None:
        with self._lock:
            self._schemas[database].discard(schema)
            self.generation += 1

    # ----- account-wide objects

    def get(self, kind: str, name: str, connection: duckdb.DuckDBPyConnection | None = None) -> Record | None:
        with contextlib.closing(self.cursor()) as own:
            return self.catalog.get(connection or own, kind, "", name)

    def warehouse(self, name: str) -> Record | None:
        """The warehouse of this name. Read before each statement, hence kept until one changes."""
        with self._lock:
            if name not in self._warehouses:
                self._warehouses[name] = self.get("WAREHOUSE", name)
            return self._warehouses[name]

    def statement_limit(self, warehouse: str) -> int:
        """The warehouse's STATEMENT_TIMEOUT_IN_SECONDS, 0 for none."""
        record = self.warehouse(warehouse)
        options = record.body["options"] if record is not None else {}
        return int(options.get("STATEMENT_TIMEOUT_IN_SECONDS", 0))

    def put(self, record: Record) -> None:
        self.write([record])

    def delete(self, kind: str, name: str) -> None:
        self.write(gone=[(kind, name)])

    def write(
        self,
        records: Iterable[Record] = (),
        gone: Iterable[tuple[str, str]] = (),
        also: Iterable[tuple[str, list[Any]]] = (),
    ) -> None:
        """Remove records of the account's file, by kind and name, and write others: all of it or nothing.

        `also` are DuckDB statements, with their values, of the same transaction.
        """
        records, gone = list(records), list(gone)
        with contextlib.closing(self.cursor()) as connection, self.changing(ACCOUNT, connection):
            for kind, name in gone:
                self.catalog.delete(connection, kind, "", name)
            for record in records:
                self.catalog.put(connection, record)
            for sql, values in also:
                connection.execute(sql, values)
        with self._lock:
            for name in (*(name for _, name in gone), *(record.name for record in records)):
                self._warehouses.pop(name, None)
        for kind, name in gone:
            if kind == GRANT:
                self.grants.remove(name)
        for record in records:
            if record.kind == GRANT:
                self.grants.add(record)

    def list(self, kind: str) -> list[Record]:
        with contextlib.closing(self.cursor()) as connection:
            return self.catalog.list(connection, kind, "")

    def execute(self, sql: str, values: Sequence[Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """Run DuckDB SQL on a connection of its own; for history and background work."""
        with contextlib.closing(self.cursor()) as connection:
            return list(connection.execute(sql, list(values or [])).fetchall())
