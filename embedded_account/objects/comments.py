"""COMMENT ON: https://docs.snowflake.com/en/sql-reference/sql/comment

It is said in the words of the object's own ALTER statement, so that whatever has comments there has them here.
"""

from __future__ import annotations

from embedded_account.names import duck, literal
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result
from embedded_account.session import Session
from embedded_account.statements import Statement, choose, read, statement

_KINDS = ("DYNAMIC TABLE", "TABLE", "VIEW", "SCHEMA", "DATABASE", "STAGE", "TAG", "WAREHOUSE", "TASK", "ROLE")


@statement("COMMENT")
def comment(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = " IF EXISTS" if current.accept_if_exists() else ""
    cursor.expect("ON")
    if cursor.accept("COLUMN"):
        *table, column = cursor.name()
        named, change = f"TABLE{if_exists} {duck(*table)}", f"ALTER {duck(column)} COMMENT"
    else:
        named, change = f"{_kind(cursor)}{if_exists} {duck(*cursor.name())}", "SET COMMENT ="
    cursor.expect("IS")
    text = cursor.string()
    cursor.end()
    escaped = literal(text.replace("\\", "\\\\"))
    altered = read(f"ALTER {named} {change} {escaped}")
    altered.describe_only, altered.query_id = current.describe_only, current.query_id
    handler, _ = choose(altered)
    return handler(session, altered)


def _kind(cursor: Cursor) -> str:
    for kind in _KINDS:
        if cursor.accept(*kind.split()):
            return kind
    return cursor.next().text.upper()
