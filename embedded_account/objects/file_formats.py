"""File formats, INFER_SCHEMA and COPY INTO a table.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table, …/functions/infer_schema
"""

from __future__ import annotations

import re

from sqlglot import exp

from embedded_account import files
from embedded_account.catalog import Record
from embedded_account.duck_types import column_of, sql_type
from embedded_account.errors import (
    SnowflakeError,
    already_exists,
    compilation_error,
    does_not_exist,
    unsupported,
)
from embedded_account.functions import TableCall, table_function
from embedded_account.names import ObjectName, duck, shown
from embedded_account.objects.show import read_show
from embedded_account.query import expand_variables
from embedded_account.result import COPY, Result, rows_result, status
from embedded_account.session import Session, TemporaryObject
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation, parse

_KIND = "FILE FORMAT"
_TYPES = ("CSV", "JSON", "AVRO", "ORC", "PARQUET", "XML", "CUSTOM")


@statement("CREATE", "FILE", "FORMAT")
def create_file_format(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    options = cursor.options()
    cursor.end()
    kind = str(options.pop("TYPE", "CSV")).upper()
    if kind not in _TYPES:
        raise compilation_error(f"invalid value [{kind}] for parameter 'TYPE'", 1008, "22023")
    comment = str(options.pop("COMMENT", ""))
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
    import json

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
    form = files.file_format(session, call.get("FILE_FORMAT", 1))
    wanted = call.get("FILES")
    found = [f for f in location.files() if wanted is None or f.path.name in str(wanted)]
    if not found:
        raise SnowflakeError(f"No file found for given path: {call.get('LOCATION', 0)}", 91016, "22000")
    if form.type not in ("PARQUET", "CSV"):
        raise unsupported(f"INFER_SCHEMA of {form.type}")
    limit = call.get("MAX_FILE_COUNT")
    paths = [f.path for f in found][: int(str(limit)) if limit is not None else None]
    relation = session.duck.sql(files.reader(paths, form))
    rows = []
    for i, (name, duck_type) in enumerate(zip(relation.columns, relation.types, strict=True)):
        kind = _inferred(sql_type(column_of(name, str(duck_type))))
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


# ----- COPY INTO


@statement("COPY", "INTO")
def copy_into(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if cursor.peek().kind == "stage" or cursor.looking_at_string():
        raise unsupported("COPY INTO a stage")
    target = session.resolve(cursor.name())
    columns: list[str] = []
    if cursor.accept("("):
        columns.append(cursor.identifier())
        while cursor.accept(","):
            columns.append(cursor.identifier())
        cursor.expect(")")
    cursor.expect("FROM")
    query = cursor.parenthesized_text() if cursor.looking_at("(") else None
    source = "" if query is not None else _source(cursor)
    options = cursor.options()
    cursor.end()
    if current.describe_only:
        return _loaded([])
    if query is not None:
        source = _query_source(query)
    location = files.locate(session, source)
    pattern = options.get("PATTERN")
    found = location.files(str(pattern) if pattern else None)
    wanted = options.get("FILES")
    if isinstance(wanted, list):
        found = [f for f in found if any(f.relative.endswith(str(w)) for w in wanted)]
    if not found:
        return status("Copy executed with 0 files processed.", COPY)
    form = files.file_format(session, options.get("FILE_FORMAT"), found[0].relative)
    error = str(options.get("ON_ERROR", "ABORT_STATEMENT")).upper()
    if error not in ("ABORT_STATEMENT", "CONTINUE", "SKIP_FILE"):
        raise unsupported(f"ON_ERROR = {error}")
    if error != "ABORT_STATEMENT" and form.type == "CSV":
        raise unsupported(f"ON_ERROR = {error} for CSV")
    counts = _load(session, target, columns, query, found, form, options)
    if str(options.get("PURGE", False)).lower() == "true":
        for file in found:
            file.path.unlink(missing_ok=True)
    return _loaded([(f.name, counts[i]) for i, f in enumerate(found)])


def _source(cursor: object) -> str:
    from embedded_account.objects.stages import _reference
    from embedded_account.parse.cursor import Cursor

    assert isinstance(cursor, Cursor)
    return _reference(None, cursor)  # type: ignore[arg-type]


def _query_source(query: str) -> str:
    match = re.search(r"\bFROM\s+('(?:[^']|'')*'|[@\w][^\s,;()]*)", query, re.IGNORECASE)
    if match is None:
        raise compilation_error("COPY INTO needs FROM @stage in its query")
    return match.group(1).strip("'")


def _load(
    session: Session,
    target: ObjectName,
    columns: list[str],
    query: str | None,
    found: list[files.StagedFile],
    form: files.FileFormat,
    options: dict[str, object],
) -> list[int]:
    """Insert all files in one transaction; the number of rows of each."""
    own = not session.in_transaction
    if own:
        session.duck.execute("BEGIN")
    try:
        listed = f" ({', '.join(map(duck, columns))})" if columns else ""
        counts = []
        for file in found:
            rows = files.rows_of(session, [file.path], form)
            sql = _selected(session, target, query, rows, options)
            by_name = "" if query is not None or not options.get("MATCH_BY_COLUMN_NAME") else " BY NAME"
            address = session.table_address(target)
            rows_done = session.duck.execute(f"INSERT INTO {address}{listed}{by_name} {sql}").fetchall()
            counts.append(int(rows_done[0][0]))
        if own:
            session.duck.execute("COMMIT")
        return counts
    except BaseException:
        if own:
            session.duck.execute("ROLLBACK")
        raise


def _selected(
    session: Session,
    target: ObjectName,
    query: str | None,
    rows: files.StagedRows,
    options: dict[str, object],
) -> str:
    if query is not None:
        expression = parse(expand_variables(session, query))
        table = expression.find(exp.Table)
        from embedded_account.translate.names import _name_staged_columns, rows_table

        with Translation(session) as translation:
            alias = table.alias or "STAGED"
            _name_staged_columns(expression, alias, rows)
            table.replace(rows_table(rows.sql, alias))
            return translation.sql(expression)
    match = str(options.get("MATCH_BY_COLUMN_NAME", "NONE")).upper()
    if match == "NONE":
        if rows.by_name:
            raise SnowflakeError(
                "SQL compilation error:\nPARQUET file format can produce one and only one column of type variant "
                "or object or array. Use CSV file format, MATCH_BY_COLUMN_NAME or a SELECT.",
                2019,
                "0A000",
            )
        return rows.sql
    described = session.duck.sql(f"SELECT * FROM {session.table_address(target)} LIMIT 0").columns
    by_upper = {c.upper(): c for c in described}
    pairs = []
    for column in rows.columns:
        own = (
            column
            if column in described
            else by_upper.get(column.upper())
            if match == "CASE_INSENSITIVE"
            else None
        )
        if own is not None:
            pairs.append(f"{duck(column)} AS {duck(own)}")
    if not pairs:
        raise compilation_error(f"no column of the files matches a column of {target}")
    return f"SELECT {', '.join(pairs)} FROM ({rows.sql})"


_LOADED = [
    ("file", "text"),
    ("status", "text"),
    ("rows_parsed", "fixed"),
    ("rows_loaded", "fixed"),
    ("error_limit", "fixed"),
    ("errors_seen", "fixed"),
    ("first_error", "text"),
    ("first_error_line", "fixed"),
    ("first_error_character", "fixed"),
    ("first_error_column_name", "text"),
]


def _loaded(counts: list[tuple[str, int]]) -> Result:
    rows = [(name, "LOADED", n, n, 1, 0, None, None, None, None) for name, n in counts]
    return rows_result(_LOADED, rows, COPY)
