"""File formats and INFER_SCHEMA.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format, …/functions/infer_schema
"""

from __future__ import annotations

import json

from embedded_account import csv_reader, files
from embedded_account.catalog import Record
from embedded_account.duck_types import column_of, sql_type
from embedded_account.errors import (
    SnowflakeError,
    already_exists,
    does_not_exist,
    unsupported,
)
from embedded_account.formats import read_format
from embedded_account.functions import TableCall, table_function
from embedded_account.names import shown
from embedded_account.objects.show import read_show
from embedded_account.result import Result, rows_result, status
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement, statement

_KIND = "FILE FORMAT"


@statement("CREATE", "FILE", "FORMAT")
def create_file_format(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    options = cursor.options()
    cursor.end()
    kind = str(options.pop("TYPE", "CSV")).upper()
    comment = str(options.pop("COMMENT", ""))
    read_format(kind, options)
    body = {"type": kind, "options": options}
    done = status(f"File format {shown(name.name)} successfully created.")
    if current.describe_only:
        return done
    catalog = session.account.catalog_of(name.database)
    exists = session.find_temporary(_KIND, name) or (
        not current.temporary and catalog.get(session.duck, _KIND, name.schema, name.name)
    )
    if exists and exists_ok:
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    if exists and not current.or_replace:
        raise already_exists(str(name))
    if current.temporary:
        session.temporary[(_KIND, name)] = TemporaryObject(_KIND, body)
        return done
    with session.changing(name.database) as connection:
        catalog.put(connection, Record(_KIND, name.schema, name.name, session.role, comment, body))
    return done


@statement("DROP", "FILE", "FORMAT")
def drop_file_format(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    done = status(f"{shown(name.name)} successfully dropped.")
    if current.describe_only or session.temporary.pop((_KIND, name), None) is not None:
        return done
    catalog = session.account.catalog_of(name.database)
    if catalog.get(session.duck, _KIND, name.schema, name.name) is None:
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist("File format", str(name))
    with session.changing(name.database) as connection:
        catalog.delete(connection, _KIND, name.schema, name.name)
    return done


_SHOWN = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("type", "text"),
    ("owner", "text"),
    ("comment", "text"),
    ("format_options", "text"),
    ("owner_role_type", "text"),
]


@statement("SHOW", "FILE", "FORMATS")
def show_file_formats(session: Session, current: Statement) -> Result:
    show = read_show(session, current.cursor)
    rows = [
        (
            r.created_on,
            r.name,
            database,
            r.schema,
            r.body["type"],
            r.owner,
            r.comment,
            json.dumps({"TYPE": r.body["type"], **r.body["options"]}),
            "ROLE",
        )
        for database in show.databases(session)
        for r in session.account.catalog_of(database).list(session.duck, _KIND)
        if show.has(r.schema)
    ]
    return rows_result(_SHOWN, show.cut(rows, 1))


@table_function("INFER_SCHEMA")
def infer_schema(session: Session, call: TableCall) -> Result:
    location = files.locate(session, str(call.get("LOCATION", 0, "")))
    form = files.file_format(session, call.get("FILE_FORMAT", 1), location)
    wanted = call.get("FILES")
    found = [f for f in location.files() if wanted is None or f.path.name in str(wanted)]
    if not found:
        raise SnowflakeError(f"No file found for given path: {call.get('LOCATION', 0)}", 91016, "22000")
    if form.type not in ("PARQUET", "CSV"):
        raise unsupported(f"INFER_SCHEMA of {form.type}")
    limit = call.get("MAX_FILE_COUNT")
    paths = [f.path for f in found][: int(str(limit)) if limit is not None else None]
    if form.type == "PARQUET":
        relation = session.duck.sql(files.parquet(paths, form))
        found_columns = list(zip(relation.columns, map(str, relation.types), strict=True))
    else:
        tables = [csv_reader.read_table(path, form) for path in paths]
        names = max((table.names for table in tables), key=len)
        found_columns = [(n if form["PARSE_HEADER"] else f"c{i + 1}", "VARCHAR") for i, n in enumerate(names)]
    rows = []
    for i, (name, duck_type) in enumerate(found_columns):
        kind = _inferred(sql_type(column_of(name, duck_type)))
        expression = f'$1:"{name}"::{kind}' if form.type == "PARQUET" else f"${i + 1}::{kind}"
        rows.append((name, kind, True, expression, ", ".join(f.relative for f in found), i))
    columns = [
        ("COLUMN_NAME", "text"),
        ("TYPE", "text"),
        ("NULLABLE", "boolean"),
        ("EXPRESSION", "text"),
        ("FILENAMES", "text"),
        ("ORDER_ID", "fixed"),
    ]
    return rows_result(columns, rows, 0x1000)


def _inferred(kind: str) -> str:
    """INFER_SCHEMA prints shorter names than DESCRIBE."""
    short = {
        "FLOAT": "REAL",
        "VARCHAR(16777216)": "TEXT",
        "TIMESTAMP_NTZ(9)": "TIMESTAMP_NTZ",
        "TIMESTAMP_LTZ(9)": "TIMESTAMP_LTZ",
        "TIME(9)": "TIME",
        "BINARY(8388608)": "BINARY",
    }
    return short.get(kind, kind.replace(",", ", "))
