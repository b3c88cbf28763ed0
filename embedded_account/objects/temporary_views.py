"""Temporary views: they hide a permanent table or view of their name, and end with their session.

https://docs.snowflake.com/en/sql-reference/sql/create-view
"""

from __future__ import annotations

from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.names import ObjectName, duck, shown
from embedded_account.result import Result, status
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement
from embedded_account.translate import Translation

# Tables and views share their name space, and so this key.
_KEY = "TABLE"


def is_temporary_view(session: Session, name: ObjectName) -> bool:
    found = session.temporary.get((_KEY, name))
    return found is not None and found.kind == "VIEW"


def create(
    session: Session,
    current: Statement,
    name: ObjectName,
    columns: list[str],
    comment: str,
    query: str,
    exists_ok: bool,
) -> Result:
    """Make the view, in place of a temporary table or view of its name with OR REPLACE."""
    if (_KEY, name) in session.temporary:
        if exists_ok:
            return status(f"{shown(name.name)} already exists, statement succeeded.")
        if not current.or_replace:
            raise already_exists(str(name))
        if not is_temporary_view(session, name):
            raise already_exists(str(name))
    address = duck(*name.temporary_address)
    with Translation(session) as translation:
        sql = translation.query(query)
        if translation.transient:
            raise unsupported("view over a result, or a function of the account")
        listed = f"({', '.join(map(duck, columns))})" if columns else ""
        session.duck.execute(f"CREATE OR REPLACE TEMP VIEW {address} {listed} AS {sql}")
    body = {"comment": comment, "text": current.text.strip()}
    session.temporary[(_KEY, name)] = TemporaryObject("VIEW", body)
    return status(f"View {shown(name.name)} successfully created.")


def drop(session: Session, name: ObjectName) -> Result:
    """Drop it; what it hid shows again."""
    if not is_temporary_view(session, name):
        raise does_not_exist("View", str(name))
    del session.temporary[(_KEY, name)]
    session.duck.execute(f"DROP VIEW IF EXISTS {duck(*name.temporary_address)}")
    return status(f"{shown(name.name)} successfully dropped.")
