"""The rows of one staged file as a table's columns want them, and which of them cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from embedded_account import csv_reader, files
from embedded_account.csv_reader import CsvRecord
from embedded_account.errors import SnowflakeError, compilation_error
from embedded_account.files import StagedFile
from embedded_account.formats import FileFormat
from embedded_account.names import ObjectName, duck
from embedded_account.objects.columns import TableColumn
from embedded_account.session import Session

_TRUE, _FALSE = "('true', 't', 'yes', 'y', 'on', '1')", "('false', 'f', 'no', 'n', 'off', '0')"


@dataclass(frozen=True)
class RowError:
    """Why one row cannot be loaded. `line`, `character` and `row` count from 1; a Parquet row has no line."""

    message: str
    code: int
    sqlstate: str
    row: int
    line: int | None = None
    character: int | None = None
    column: str | None = None
    record: str = ""

    def raised(self, file: StagedFile) -> SnowflakeError:
        """The error that stops the statement."""
        place = f"\n  File '{file.relative}', line {self.line or self.row}, character {self.character or 1}"
        column = f", column {self.column}" if self.column else ""
        return SnowflakeError(
            f"{self.message}{place}\n  Row {self.row}{column}\n"
            "  If you would like to continue loading when an error is encountered, use other values such as "
            "'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option.",
            self.code,
            self.sqlstate,
        )


@dataclass
class FileRows:
    """`sql` selects the target's columns, in order, of every row that can be loaded."""

    sql: str
    parsed: int
    columns: list[str]
    errors: list[RowError] = field(default_factory=list)


def read_rows(
    session: Session,
    target: ObjectName,
    wanted: list[TableColumn],
    file: StagedFile,
    form: FileFormat,
    match: str,
    on_exit: Callable[[Callable[[], object]], None],
) -> FileRows:
    """Read a file for these columns of a table, by position or, with MATCH_BY_COLUMN_NAME, by name."""
    if form.type == "CSV":
        return _csv_rows(session, target, wanted, file, form, match, on_exit)
    source = files.rows_of(session, [file.path], form, on_exit)
    if match == "NONE":
        raise SnowflakeError(
            "SQL compilation error:\nPARQUET file format can produce one and only one column of type variant "
            "or object or array. Use CSV file format, MATCH_BY_COLUMN_NAME or a SELECT.",
            2019,
            "0A000",
        )
    pairs = _matched(target, wanted, source.columns, match)
    numbered = f"(SELECT *, row_number() OVER () - 1 AS n FROM ({source.sql}))"
    values = {
        column.name: (duck(found), f"TRY_CAST({duck(found)} AS {column.type})") for column, found in pairs
    }
    return _checked(session, target, [column for column, _ in pairs], numbered, values, {}, [])


def _matched(
    target: ObjectName, wanted: list[TableColumn], columns: list[str], match: str
) -> list[tuple[TableColumn, str]]:
    pairs = []
    for column in wanted:
        found = column.name if column.name in columns else None
        if found is None and match == "CASE_INSENSITIVE":
            found = next((c for c in columns if c.upper() == column.name.upper()), None)
        if found is not None:
            pairs.append((column, found))
    if not pairs:
        raise compilation_error(f"no column of the files matches a column of {target}")
    return pairs


def _csv_rows(
    session: Session,
    target: ObjectName,
    wanted: list[TableColumn],
    file: StagedFile,
    form: FileFormat,
    match: str,
    on_exit: Callable[[Callable[[], object]], None],
) -> FileRows:
    table = csv_reader.read_table(file.path, form, len(wanted))
    loaded = wanted
    if match == "NONE":
        places = {column.name: place for place, column in enumerate(wanted)}
    else:
        if not form["PARSE_HEADER"]:
            raise compilation_error("MATCH_BY_COLUMN_NAME of CSV needs PARSE_HEADER = TRUE", 1008, "22023")
        pairs = _matched(target, wanted, table.names, match)
        loaded = [column for column, _ in pairs]
        places = {column.name: table.names.index(found) for column, found in pairs}
    count = len(wanted) if match == "NONE" else len(table.names)
    broken = _broken(table.records, count, form)
    name = session.scratch_name("load")
    session.duck.register(name, table.columns)
    on_exit(lambda: session.duck.unregister(name))
    values = {
        column.name: (cell, text_value(cell, column.type, form["BINARY_FORMAT"]))
        for column in loaded
        for cell in [f'"f{places[column.name]}"']
    }
    source = f"temp.main.{duck(name)}"
    return _checked(session, target, loaded, source, values, places, table.records, broken)


def _broken(records: list[CsvRecord], count: int, form: FileFormat) -> dict[int, RowError]:
    found = {}
    for number, record in enumerate(records):
        if record.error:
            found[number] = RowError(
                record.error,
                100016,
                "22000",
                number + 1,
                record.line,
                record.offsets[-1] + 1,
                None,
                record.text,
            )
        elif form["ERROR_ON_COLUMN_COUNT_MISMATCH"] and len(record.fields) != count:
            message = (
                f"Number of columns in file ({len(record.fields)}) does not match that of the corresponding table "
                f"({count}), use file format option error_on_column_count_mismatch=false to ignore this error"
            )
            found[number] = RowError(
                message, 100080, "22000", number + 1, record.line, record.offsets[-1] + 1, None, record.text
            )
    return found


def text_value(source: str, kind: str, binary: str) -> str:
    """DuckDB SQL of a text as a column's type; NULL where it is none."""
    if kind == "VARCHAR":
        return source
    if kind == "BOOLEAN":
        word = f"lower(trim({source}))"
        return f"CASE WHEN {word} IN {_TRUE} THEN true WHEN {word} IN {_FALSE} THEN false END"
    if kind == "BLOB":
        read = {"HEX": "unhex({0})", "BASE64": "from_base64({0})"}.get(binary, "encode({0})").format(source)
        return f"TRY({read})"
    if kind in ("TIMESTAMP", "TIMESTAMP_NS"):
        return f"TRY_CAST(TRY(_text_to_timestamp(trim({source}))) AS {kind})"
    if kind == "DATE":
        return f"coalesce(TRY_CAST({source} AS DATE), TRY_CAST(TRY_CAST({source} AS TIMESTAMP) AS DATE))"
    return f"TRY_CAST(trim({source}) AS {kind})"


def _checked(
    session: Session,
    target: ObjectName,
    wanted: list[TableColumn],
    source: str,
    values: dict[str, tuple[str, str]],
    places: dict[str, int],
    records: list[CsvRecord],
    broken: dict[int, RowError] | None = None,
) -> FileRows:
    """Find the rows of which a column has no value of its type, or none where there must be one."""
    broken = broken or {}
    wrong = {
        column.name: f"({raw} IS NOT NULL AND {value} IS NULL)"
        + (f" OR {raw} IS NULL" if column.not_null else "")
        for column in wanted
        for raw, value in [values[column.name]]
    }
    any_wrong = " OR ".join(f"({one})" for one in wrong.values())
    (parsed,) = session.duck.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    flags = ", ".join(f"{one}, CAST({values[name][0]} AS VARCHAR)" for name, one in wrong.items())
    rows = session.duck.execute(f"SELECT n, {flags} FROM {source} WHERE {any_wrong} ORDER BY n").fetchall()
    found = dict(broken)
    for number, *cells in rows:
        if number in found:
            continue
        at = next(i for i in range(len(wanted)) if cells[2 * i])
        column, raw = wanted[at], cells[2 * at + 1]
        message, code, sqlstate = _complaint(column.type, raw)
        record = records[number] if records else None
        found[number] = RowError(
            message,
            code,
            sqlstate,
            number + 1,
            record.line if record else None,
            record.offsets[places[column.name]] + 1
            if record and places[column.name] < len(record.offsets)
            else None,
            f'"{target.name}"["{column.name}":{at + 1}]',
            record.text if record else "",
        )
    selected = ", ".join(f"{values[column.name][1]} AS {duck(column.name)}" for column in wanted)
    left_out = f" WHERE n NOT IN ({', '.join(map(str, found))})" if found else ""
    return FileRows(
        f"SELECT {selected} FROM {source}{left_out}",
        int(parsed),
        [column.name for column in wanted],
        [found[number] for number in sorted(found)],
    )


def _complaint(kind: str, raw: str | None) -> tuple[str, int, str]:
    if raw is None:
        return "NULL result in a non-nullable column", 100072, "22000"
    if kind == "BOOLEAN":
        return f"Boolean value '{raw}' is not recognized", 100037, "22018"
    if kind == "DATE":
        return f"Date '{raw}' is not recognized", 100040, "22007"
    if kind == "TIME":
        return f"Time '{raw}' is not recognized", 100108, "22007"
    if kind.startswith("TIMESTAMP"):
        return f"Timestamp '{raw}' is not recognized", 100035, "22007"
    if kind == "BLOB":
        return f"The following string is not a legal hex-encoded value: '{raw}'", 100115, "22000"
    if kind == "JSON":
        return f"Error parsing JSON: {raw}", 100069, "22P02"
    return f"Numeric value '{raw}' is not recognized", 100038, "22018"
