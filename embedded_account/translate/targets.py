"""What DML writes to, and what it may not write to: https://docs.snowflake.com/en/user-guide/dynamic-tables-limitations"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.names import ObjectName, real
from embedded_account.translate import Translation


def find_target(translation: Translation, expression: Any) -> None:
    """Note which table a DML statement, whose names are resolved, writes to.

    Raises:
        SnowflakeError: if that is a dynamic table.
    """
    if not isinstance(expression, exp.Insert | exp.Update | exp.Delete | exp.Merge):
        return
    target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
    if not isinstance(target, exp.Table):
        return
    session = translation.session
    name = ObjectName(target.catalog, real(target.db), real(target.name))
    if name.database not in session.account.databases():
        return
    catalog = session.account.catalog_of(name.database)
    if catalog.get(session.duck, "DYNAMIC TABLE", name.schema, name.name) is not None:
        raise compilation_error(f"DML is not allowed on dynamic table '{name}'.", 1003, "42601")
    translation.target = name
