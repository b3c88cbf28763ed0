"""What SHOW TABLES and INFORMATION_SCHEMA.TABLES tell of tables and views, counted when they are asked.

https://docs.snowflake.com/en/sql-reference/info-schema/tables
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from embedded_account.catalog import Record
from embedded_account.names import ObjectName, duck, real
from embedded_account.objects import table_records
from embedded_account.objects.relations import DYNAMIC_TABLE, TABLE, VIEW
from embedded_account.session import Session

_BATCH = 100


@dataclass(frozen=True)
class Facts:
    name: ObjectName
    record: Record
    temporary: bool
    # None for a view.
    rows: int | None
    last_altered: datetime

    @property
    def created(self) -> datetime:
        return self.record.created_on

    @property
    def last_ddl(self) -> datetime:
        moment = self.record.body.get("last_ddl")
        return datetime.fromisoformat(moment) if moment else self.created

    def option(self, name: str, default: object) -> object:
        return self.record.body.get("options", {}).get(name, default)

    @property
    def retention(self) -> int:
        return int(str(self.option("DATA_RETENTION_TIME_IN_DAYS", 1)))

    @property
    def change_tracking(self) -> bool:
        return str(self.option("CHANGE_TRACKING", False)).upper() in ("TRUE", "ON")


def all_facts(
    session: Session, database: str, wanted: Callable[[ObjectName], bool], views: bool = False
) -> list[Facts]:
    """The tables of a database whose names are wanted, with the session's temporary ones, sorted by name."""
    with _one_moment(session):
        catalog = session.account.catalog_of(database)
        kinds = (TABLE, DYNAMIC_TABLE, VIEW)
        records = {
            (kind == VIEW, r.schema, r.name): r for kind in kinds for r in catalog.list(session.duck, kind)
        }
        changes = catalog.changes(session.duck)
        found = [name for name in _names(session, database, "table") if wanted(name)]
        temporary = [
            name
            for kind, name in session.temporary
            if kind == TABLE
            and name.database == database
            and wanted(name)
            and table_records.is_temporary(session, name)
        ]
        counts = _counts(session, [name.duck for name in found])
        facts = [
            _facts(name, records.get((False, *name[1:])), rows, changes.get((name.schema, name.name)))
            for name, rows in zip(found, counts, strict=True)
        ]
        counts = _counts(session, [duck(*name.temporary_address) for name in temporary])
        facts += [
            _facts(name, table_records.load(session, name), rows, None, temporary=True)
            for name, rows in zip(temporary, counts, strict=True)
        ]
        if views:
            facts += [
                _facts(name, records.get((True, *name[1:])) or Record(VIEW, *name[1:]), None, None)
                for name in _names(session, database, "view")
                if wanted(name)
            ]
    return sorted(facts, key=lambda one: one.name)


def _facts(
    name: ObjectName,
    record: Record | None,
    rows: int | None,
    changed: datetime | None,
    temporary: bool = False,
) -> Facts:
    record = record or Record(TABLE, name.schema, name.name)
    stamps = [record.body.get("last_ddl"), record.body.get("data_timestamp")]
    moments = [record.created_on, *(datetime.fromisoformat(stamp) for stamp in stamps if stamp)]
    moments += [changed] if changed is not None else []
    return Facts(name, record, temporary, rows, max(moment.astimezone(UTC) for moment in moments))


@contextlib.contextmanager
def _one_moment(session: Session) -> Iterator[None]:
    """Names and counts of one snapshot, while others create and drop."""
    if session.in_transaction:
        yield
        return
    session.duck.execute("BEGIN")
    try:
        yield
    finally:
        session.duck.execute("COMMIT")


def _names(session: Session, database: str, kind: str) -> list[ObjectName]:
    rows = session.duck.execute(
        f"SELECT schema_name, {kind}_name FROM duckdb_{kind}s() "
        "WHERE database_name = ? AND schema_name NOT IN ('main', '__catalog') AND NOT internal",
        [database],
    ).fetchall()
    return [ObjectName(database, real(schema), real(name)) for schema, name in rows]


def _counts(session: Session, addresses: list[str]) -> list[int]:
    """The rows of each table; DuckDB's own estimates also count deleted ones."""
    found: list[int] = []
    for start in range(0, len(addresses), _BATCH):
        batch = addresses[start : start + _BATCH]
        sql = " UNION ALL ".join(f"SELECT {i}, count(*) FROM {address}" for i, address in enumerate(batch))
        counted = dict(session.duck.execute(sql).fetchall())
        found += [int(counted[i]) for i in range(len(batch))]
    return found
