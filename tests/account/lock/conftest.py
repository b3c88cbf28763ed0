"""An account in this process, with a file of the host beside it that no statement may read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embedded_account import loaded, statements
from embedded_account.account import Account
from embedded_account.catalog import SCHEMA
from embedded_account.errors import SnowflakeError
from embedded_account.names import duck
from embedded_account.session import Session

assert loaded
SECRET = "canary4711"
INTERNAL = 603
# What only DuckDB says.
FOREIGN_WORDS = re.compile(
    r"(Catalog|Binder|Parser|Conversion|Invalid Input|Permission|IO|TransactionContext) Error|Candidate|Did you mean|"
    r"\bLINE \d+:|DuckDB(?!_)|type cast|No function matches"
)


@dataclass
class Guarded:
    """A session, and what must not change or be told."""

    account: Account
    session: Session
    canary: Path

    def run(self, text: str) -> list[tuple[object, ...]]:
        return statements.execute(self.session, text).rows()

    def refusal(self, text: str) -> SnowflakeError:
        """The error of a statement, which has Snowflake's shape and tells nothing of the host or of DuckDB."""
        try:
            rows = self.run(text)
        except SnowflakeError as failure:
            error = failure
        else:
            raise AssertionError(f"{text!r} answered {str(rows)[:200]}")
        assert error.code != INTERNAL, f"{text!r}: {error.message}"
        assert re.fullmatch(r"\d{6}", error.wire_code)
        assert re.fullmatch(r"[0-9A-Z]{5}", error.sqlstate), text
        assert not FOREIGN_WORDS.search(error.message), f"{text!r}: {error.message}"
        assert SECRET not in error.message
        assert str(self.canary.parent / "account") not in error.message
        return error

    def state(self) -> dict[str, Any]:
        """All that statements could change: rows, objects, records, files, the session's place."""
        connection = self.account.cursor()
        relations = connection.execute(
            "SELECT database_name, schema_name, table_name, sql FROM duckdb_tables() WHERE NOT internal "
            "UNION ALL SELECT database_name, schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal "
            "ORDER BY ALL"
        ).fetchall()
        rows = {
            (database, schema, name): sorted(
                map(repr, connection.execute(f"SELECT * FROM {duck(database, schema, name)}").fetchall())
            )
            for database, schema, name, _ in relations
            if database != "temp"
        }
        assert ("D", SCHEMA, "objects") in rows
        session = self.session
        return {
            "relations": relations,
            "rows": rows,
            "schemas": connection.execute(
                "SELECT database_name, schema_name FROM duckdb_schemas() ORDER BY ALL"
            ).fetchall(),
            "settings": connection.execute(
                "SELECT name, value FROM duckdb_settings() ORDER BY ALL"
            ).fetchall(),
            "files": sorted(
                path.relative_to(self.account.data).as_posix()
                for path in self.account.data.rglob("*")
                if not path.name.endswith(".wal")
            ),
            "place": (
                session.database,
                session.schema,
                session.role,
                session.warehouse,
                session.in_transaction,
            ),
            "parameters": dict(session.parameters),
            "temporary": sorted(map(str, session.temporary)),
        }


def guard(folder: Path) -> Guarded:
    canary = folder / "canary.csv"
    canary.write_text(f"{SECRET},{SECRET}\n")
    account = Account(folder / "account")
    guarded = Guarded(account, Session(account), canary)
    for text in (
        "CREATE DATABASE D",
        "CREATE WAREHOUSE W",
        "CREATE TABLE T (A INT, B VARCHAR)",
        "INSERT INTO T VALUES (1, 'x'), (2, 'y')",
        "CREATE TABLE U (A INT)",
        "CREATE VIEW V AS SELECT A FROM T",
        "CREATE STAGE ST",
    ):
        guarded.run(text)
    return guarded


@pytest.fixture(scope="session")
def shared_guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    guarded = guard(tmp_path_factory.mktemp("guarded"))
    yield guarded
    guarded.account.close()


@pytest.fixture
def guarded(shared_guard: Guarded) -> Iterator[Guarded]:
    """The account, which is after the test as it was before."""
    before = shared_guard.state()
    yield shared_guard
    assert shared_guard.state() == before
    assert shared_guard.run("SELECT COUNT(*) FROM T") == [(2,)]
