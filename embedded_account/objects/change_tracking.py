"""What an incremental dynamic table needs of the tables that it reads.

https://docs.snowflake.com/en/user-guide/dynamic-tables/create (enable change tracking)
"""

from __future__ import annotations

from embedded_account.catalog import Record
from embedded_account.errors import compilation_error
from embedded_account.names import ObjectName
from embedded_account.objects.dynamic_table_refresh import tables_read
from embedded_account.session import Session

KIND = "TABLE"
_OPTION = "CHANGE_TRACKING"


def tracks_changes(record: Record) -> bool:
    return str(record.body.get("options", {}).get(_OPTION, "")).upper() == "TRUE"


def require(session: Session, record: Record) -> None:
    """Switch change tracking on in the tables that an INCREMENTAL dynamic table reads, as far as its role owns them.

    Raises:
        SnowflakeError: 091930 for a table of another role without it; nothing was switched on then.
    """
    if str(record.body["options"].get("REFRESH_MODE", "AUTO")).upper() != "INCREMENTAL":
        return
    untracked = [
        (name, table)
        for name in tables_read(session, record)
        if (table := _table(session, name)) is not None and not tracks_changes(table)
    ]
    for name, table in untracked:
        if table.owner != session.role:
            raise compilation_error(
                "Change tracking is not enabled or has been missing for the time range requested on table "
                f"'{name.name}'.",
                91930,
                "22000",
            )
    for name, table in untracked:
        options = {**table.body.get("options", {}), _OPTION: True}
        with session.changing(name.database) as connection:
            session.account.catalog_of(name.database).put(connection, table.with_body(options=options))


def _table(session: Session, name: ObjectName) -> Record | None:
    return session.account.catalog_of(name.database).get(session.duck, KIND, name.schema, name.name)
