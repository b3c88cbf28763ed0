"""COPY INTO a table: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table

Rows, what is remembered of the files, and the note that the table changed are one transaction. Files that PURGE removes
are removed after it: a crash between leaves them, remembered as loaded.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from sqlglot import exp

from embedded_account import files
from embedded_account.errors import SnowflakeError, compilation_error, unsupported
from embedded_account.files import Location, StagedFile
from embedded_account.formats import FileFormat
from embedded_account.names import ObjectName, duck
from embedded_account.objects import columns, relations, table_records
from embedded_account.objects.columns import TableColumn
from embedded_account.objects.copy_options import (
    ABORT,
    RETURN_ALL_ERRORS,
    CopyOptions,
    OnError,
    read_options,
)
from embedded_account.objects.load_history import (
    LOAD_FAILED,
    LOADED,
    PARTIALLY_LOADED,
    LoadHistory,
    Outcome,
)
from embedded_account.objects.load_rows import FileRows, RowError, read_rows
from embedded_account.objects.stages import reference
from embedded_account.parse.cursor import Cursor
from embedded_account.query import expand_variables, run_duck
from embedded_account.result import COPY, Result, rows_result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation, parse
from embedded_account.translate.names import name_staged_columns, rows_table

_SKIPPED = "LOAD_SKIPPED"
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
_ERRORS = [
    ("ERROR", "text"),
    ("FILE", "text"),
    ("LINE", "fixed"),
    ("CHARACTER", "fixed"),
    ("BYTE_OFFSET", "fixed"),
    ("CATEGORY", "text"),
    ("CODE", "fixed"),
    ("SQL_STATE", "text"),
    ("COLUMN_NAME", "text"),
    ("ROW_NUMBER", "fixed"),
    ("ROW_START_LINE", "fixed"),
    ("REJECTED_RECORD", "text"),
]


class _Load:
    """One COPY statement."""

    def __init__(self, session: Session, target: ObjectName, listed: list[str], query: str | None) -> None:
        self.session = session
        self.target = target
        self.query = query
        record = table_records.load(session, target)
        found = {column.name: column for column in columns.of_table(session, target, record)}
        for name in listed:
            if name not in found:
                raise compilation_error(f"invalid identifier '{name}'", 904, "42000")
        self.listed = listed
        self.wanted: list[TableColumn] = [found[name] for name in listed] if listed else list(found.values())


@statement("COPY", "INTO")
def copy_into(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if cursor.peek().kind == "stage" or cursor.looking_at_string():
        raise unsupported("COPY INTO a stage")
    target = session.resolve(cursor.name())
    listed = _column_list(cursor)
    cursor.expect("FROM")
    query = cursor.parenthesized_text() if cursor.looking_at("(") else None
    source = "" if query is not None else reference(cursor)
    options = read_options(cursor.options(), query is not None)
    cursor.end()
    if not table_records.is_temporary_table(session, target):
        relations.require(session, target, relations.TABLE)
    if current.describe_only:
        return rows_result(_LOADED, [], COPY)
    if query is not None:
        query = expand_variables(session, query)
        source = _query_source(query)
    load = _Load(session, target, listed, query)
    location = files.locate(session, source)
    found = _chosen(location, options)
    form = files.file_format(session, options.file_format, location)
    if options.validation:
        return _validate(load, found, form, options)
    return _run(load, found, form, options)


def _column_list(cursor: Cursor) -> list[str]:
    if not cursor.accept("("):
        return []
    listed = [cursor.identifier()]
    while cursor.accept(","):
        listed.append(cursor.identifier())
    cursor.expect(")")
    return listed


def _query_source(query: str) -> str:
    match = re.search(r"\bFROM\s+('(?:[^']|'')*'|[@\w][^\s,;()]*)", query, re.IGNORECASE)
    if match is None:
        raise compilation_error("COPY INTO needs FROM @stage in its query")
    return match.group(1).strip("'")


def _chosen(location: Location, options: CopyOptions) -> list[StagedFile]:
    """The files that the statement names.

    Raises:
        SnowflakeError: 091016 for one of FILES that is not there, unless ON_ERROR skips it.
    """
    found = location.files(options.pattern)
    if not options.files:
        return found
    by_name = {file.relative: file for file in found}
    prefix = f"{location.path.rstrip('/')}/" if location.path else ""
    chosen = []
    for name in options.files:
        file = by_name.get(prefix + name)
        if file is not None:
            chosen.append(file)
        elif options.pattern is None and options.on_error.action == ABORT:
            raise SnowflakeError(
                f"Remote file '{location.label}/{prefix}{name}' was not found. There are several potential causes. "
                "The file might not exist.",
                91016,
                "22000",
            )
    return chosen


# ----- loading


def _run(load: _Load, found: list[StagedFile], form: FileFormat, options: CopyOptions) -> Result:
    session = load.session
    outcomes: list[Outcome] = []
    loaded: list[Path] = []
    with session.writing():
        history = LoadHistory(session, load.target)
        size = 0
        for file in found:
            if not options.force and (skipped := _skipped(history, file, options)):
                # Files that are named are told of; of others only those that are new are.
                outcomes += [skipped] if options.files else []
                continue
            if options.size_limit is not None and size > options.size_limit:
                break
            size += file.path.stat().st_size
            outcome = _load_file(load, file, form, options)
            history.remember(file, outcome)
            outcomes.append(outcome)
            if outcome.status == LOADED:
                loaded.append(file.path)
        if any(outcome.rows_loaded for outcome in outcomes) and not table_records.is_temporary(
            session, load.target
        ):
            catalog = session.account.catalog_of(load.target.database)
            catalog.changed(session.duck, load.target.schema, load.target.name)
    if options.purge:
        session.after_commit(lambda: _remove(loaded))
    if not outcomes:
        return status("Copy executed with 0 files processed.", COPY)
    if options.return_failed_only:
        outcomes = [outcome for outcome in outcomes if outcome.status != LOADED]
    return rows_result(_LOADED, [tuple(vars(outcome).values()) for outcome in outcomes], COPY)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _skipped(history: LoadHistory, file: StagedFile, options: CopyOptions) -> Outcome | None:
    if history.is_loaded(file):
        return Outcome(file.name, _SKIPPED, first_error="File was loaded before.")
    if history.is_uncertain(file) and not options.load_uncertain_files:
        return Outcome(
            file.name, _SKIPPED, first_error="File was loaded before or its load status is unknown."
        )
    return None


def _load_file(load: _Load, file: StagedFile, form: FileFormat, options: CopyOptions) -> Outcome:
    with Translation(load.session) as translation:
        if load.query is not None:
            count = _insert(load, load.listed, _transformed(load, translation, file, form))
            return Outcome(file.name, LOADED, count, count, options.on_error.error_limit(count))
        rows = _rows(load, file, form, options, translation.on_exit)
        first = rows.errors[0] if rows.errors else None
        if first is not None and options.on_error.action == ABORT:
            raise first.raised(file)
        skip = options.on_error.skips(len(rows.errors), rows.parsed)
        count = 0 if skip else _insert(load, rows.columns, rows.sql)
    return _outcome(file, rows, count, skip, options.on_error)


def _outcome(file: StagedFile, rows: FileRows, count: int, skip: bool, on_error: OnError) -> Outcome:
    first = rows.errors[0] if rows.errors else None
    word = LOADED if first is None else LOAD_FAILED if skip or not count else PARTIALLY_LOADED
    return Outcome(
        file.name,
        word,
        rows.parsed,
        count,
        on_error.error_limit(rows.parsed),
        len(rows.errors),
        first.message if first else None,
        (first.line or first.row) if first else None,
        first.character if first else None,
        first.column if first else None,
    )


def _rows(
    load: _Load,
    file: StagedFile,
    form: FileFormat,
    options: CopyOptions,
    on_exit: Callable[[Callable[[], object]], None],
) -> FileRows:
    return read_rows(
        load.session, load.target, load.wanted, file, form, options.match_by_column_name, on_exit
    )


def _insert(load: _Load, names: list[str], sql: str) -> int:
    listed = f" ({', '.join(map(duck, names))})" if names else ""
    address = load.session.table_address(load.target)
    rows = load.session.duck.execute(f"INSERT INTO {address}{listed} {sql}").fetchall()
    return int(rows[0][0])


def _transformed(load: _Load, translation: Translation, file: StagedFile, form: FileFormat) -> str:
    """The statement's query over one file."""
    expression = parse(str(load.query))
    table = expression.find(exp.Table)
    rows = files.rows_of(load.session, [file.path], form, translation.on_exit)
    alias = table.alias or "STAGED"
    name_staged_columns(expression, alias, rows)
    table.replace(rows_table(rows.sql, alias))
    return translation.sql(expression)


# ----- VALIDATION_MODE


def _validate(load: _Load, found: list[StagedFile], form: FileFormat, options: CopyOptions) -> Result:
    """Read without loading: the errors, or the first rows if they have none."""
    history = LoadHistory(load.session, load.target)
    errors: list[tuple[StagedFile, RowError]] = []
    if options.validation != RETURN_ALL_ERRORS and not options.force:
        found = [file for file in found if not history.is_loaded(file)]
    with contextlib.ExitStack() as stack:
        selects = []
        for file in found:
            rows = _rows(load, file, form, options, lambda done: _later(stack, done))
            errors += [(file, error) for error in rows.errors]
            selects.append(rows.sql)
        if options.validation != "RETURN_ROWS":
            return rows_result(_ERRORS, [_error_row(file, error) for file, error in errors], COPY)
        first = next(((file, e) for file, e in errors if e.row <= options.validated_rows), None)
        if first is not None:
            raise first[1].raised(first[0])
        if not selects:
            return status("Copy executed with 0 files processed.", COPY)
        sql = " UNION ALL BY NAME ".join(selects)
        return run_duck(load.session, f"SELECT * FROM ({sql}) LIMIT {options.validated_rows}")


def _later(stack: contextlib.ExitStack, action: Callable[[], object]) -> None:
    stack.callback(action)


def _error_row(file: StagedFile, error: RowError) -> tuple[object, ...]:
    category = "parsing" if error.code in (100016, 100080) else "conversion"
    return (
        error.message,
        file.name,
        error.line,
        error.character,
        None,
        category,
        error.code,
        error.sqlstate,
        error.column,
        error.row,
        error.line,
        error.record,
    )
