"""What a statement needs, looked up by its first words before it runs.

https://docs.snowflake.com/en/user-guide/security-access-control-privileges: the privileges to create objects, and
those of tables that DML asks for.
"""

from __future__ import annotations

from embedded_account.errors import SnowflakeError
from embedded_account.names import SchemaName
from embedded_account.parse.cursor import Cursor
from embedded_account.security import privileges, warehouse
from embedded_account.session import Session

_ON_ACCOUNT = ("ROLE", "USER", "DATABASE", "WAREHOUSE", "COMPUTE POOL")
_ON_SCHEMA = (
    "TABLE",
    "VIEW",
    "STAGE",
    "FILE FORMAT",
    "FUNCTION",
    "PROCEDURE",
    "TASK",
    "TAG",
    "DYNAMIC TABLE",
    "DATASET",
    "MODEL",
)
_DML = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "COPY INTO")


def check(session: Session, kind: str, text: str, position: int, temporary: bool, or_replace: bool) -> None:
    """Raises what Snowflake answers to a role or a session that may not run this statement.

    `kind` is the statement's first words, `position` where its text goes on behind them. Who replaces an object
    drops it, which takes its ownership.
    """
    from embedded_account.query import expand_variables  # which needs this package

    if kind in _DML:
        _check_dml(session, kind, Cursor(expand_variables(session, text[position:])))
        warehouse.require(session)
    elif kind.startswith("CREATE ") and not temporary:
        rest = Cursor(expand_variables(session, text[position:]))
        _check_create(session, kind.removeprefix("CREATE "), rest, or_replace)


def _check_create(session: Session, kind: str, cursor: Cursor, or_replace: bool) -> None:
    parts = _name(cursor)
    if kind in _ON_ACCOUNT:
        privileges.demand(session, f"CREATE {kind}", privileges.ACCOUNT)
        if or_replace and len(parts) == 1:
            _demand_ownership(session, privileges.of_account(session, kind, parts[0]))
        return
    if kind == "SCHEMA" and parts:
        database = parts[0] if len(parts) == 2 else session.database
        if database in session.account.databases():
            record = session.account.catalog_of(str(database)).get(
                session.duck, "DATABASE", "", str(database)
            )
            if record is not None:
                privileges.demand(session, "CREATE SCHEMA", privileges.of_record(record, str(database)))
                if or_replace:
                    _demand_ownership(
                        session, privileges.schema_of(session, SchemaName(str(database), parts[-1]))
                    )
    elif kind in _ON_SCHEMA and parts:
        try:
            name = session.resolve(parts)
            schema = privileges.schema_of(session, name.parent)
        except SnowflakeError:  # the handler says what is wrong with the name
            return
        if schema is not None:
            privileges.demand(session, f"CREATE {kind}", schema)
        if or_replace:
            _demand_ownership(session, privileges.object_of(session, name, kind))


def _demand_ownership(session: Session, on: privileges.Securable | None) -> None:
    if on is not None and not privileges.owns(session, on):
        raise privileges.refused(on)


def _check_dml(session: Session, kind: str, cursor: Cursor) -> None:
    needed = {kind}
    if kind == "COPY INTO":
        needed = {"INSERT"}
    elif kind == "MERGE":
        needed = _merged(cursor.text)
    elif kind == "INSERT" and cursor.accept("OVERWRITE"):
        needed = {"INSERT", "DELETE"}
    for words in (("INTO",), ("FROM",), ("TABLE",)):
        cursor.accept(*words)
    parts = _name(cursor)
    if not parts:
        return
    try:
        name = session.resolve(parts)
    except SnowflakeError:
        return
    if ("TABLE", name) in session.temporary:
        return
    table = privileges.object_of(session, name, "TABLE")
    for privilege in sorted(needed) if table is not None else ():
        assert table is not None
        if not privileges.holds(session, privilege, table):
            raise privileges.refused(table)


def _merged(text: str) -> set[str]:
    """The actions of a MERGE's clauses."""
    cursor, found = Cursor(text), set()
    while not cursor.done:
        if cursor.accept("THEN"):
            found.add(cursor.peek().word)
        else:
            cursor.next()
    return found & {"INSERT", "UPDATE", "DELETE"}


def _name(cursor: Cursor) -> tuple[str, ...]:
    """The object's name; empty where there is none (a stage, a syntax error that the handler will tell)."""
    cursor.accept("IF", "NOT", "EXISTS")
    cursor.accept("IF", "EXISTS")
    try:
        return cursor.name()
    except SnowflakeError:
        return ()
