"""Python stored procedures: CREATE, CALL, WITH … AS PROCEDURE … CALL, DESCRIBE, SHOW, DROP.

They run in a worker of `compute/` with a session of their own, which inherits the caller's role, warehouse and place.
A procedure with caller's rights does not see the caller's temporary tables here: they belong to the caller's session.
"""

from __future__ import annotations

import datetime
import decimal
import json
from dataclasses import replace
from typing import Any

import pyarrow as pa

from embedded_account.compute import ProcedureJob
from embedded_account.duck_types import column_of
from embedded_account.errors import SnowflakeError, does_not_exist, unsupported
from embedded_account.functions import SCALARS
from embedded_account.names import ObjectName, shown
from embedded_account.objects import routines
from embedded_account.objects.routines import Routine, read_routine
from embedded_account.objects.show import read_show
from embedded_account.parse.cursor import Cursor, tokenize
from embedded_account.query import run_query
from embedded_account.result import Column, Result, rows_result, status
from embedded_account.security import warehouse
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

KIND = "PROCEDURE"
_WIRE = {
    "VARCHAR": "text",
    "NUMBER": "fixed",
    "FLOAT": "real",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP_NTZ": "timestamp_ntz",
    "TIMESTAMP_LTZ": "timestamp_ltz",
    "TIMESTAMP_TZ": "timestamp_tz",
    "VARIANT": "variant",
    "OBJECT": "object",
    "ARRAY": "array",
    "BINARY": "binary",
}


@statement("CREATE", "PROCEDURE")
def create_procedure(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    routine = read_routine(name.name, cursor)
    cursor.end()
    return routines.create(session, current, KIND, name, routine, exists_ok)


@statement("DROP", "PROCEDURE")
def drop_procedure(session: Session, current: Statement) -> Result:
    return drop_routine(session, current, KIND)


def drop_routine(session: Session, current: Statement, kind: str) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    types = (
        [t for t in current.cursor.parenthesized_text().split(",") if t.strip()]
        if current.cursor.looking_at("(")
        else []
    )
    current.cursor.end()
    signature = f"{name.name}({', '.join(routines.canonical(t) for t in types)})"
    done = status(f"{shown(name.name)} successfully dropped.")
    if session.temporary.pop((kind, name.parent.object(signature)), None):
        return done
    catalog = session.account.catalog_of(name.database)
    if catalog.get(session.duck, kind, name.schema, signature) is None:
        if if_exists:
            return status("Drop statement executed successfully.")
        raise does_not_exist(kind.capitalize(), f"{name}({', '.join(types)})")
    if not current.describe_only:
        with session.changing(name.database) as connection:
            catalog.delete(connection, kind, name.schema, signature)
    return done


@statement("DESCRIBE", "PROCEDURE")
@statement("DESC", "PROCEDURE")
def describe_procedure(session: Session, current: Statement) -> Result:
    return describe_routine(session, current, KIND)


def describe_routine(session: Session, current: Statement, kind: str) -> Result:
    name = session.resolve(current.cursor.name())
    text = current.cursor.parenthesized_text()
    types = [routines.canonical(t) for t in _split(text)]
    found = [
        r
        for r in routines.find(session, kind, name)
        if [routines.canonical(k) for _, k, _ in r.arguments] == types
    ]
    if not found:
        raise does_not_exist(kind.capitalize(), f"{name}({text})")
    r = found[0]
    rows = [
        ("signature", "(" + ", ".join(f"{n} {routines.canonical(k)}" for n, k, _ in r.arguments) + ")"),
        ("returns", r.returns),
        ("language", r.language),
        ("null handling", "CALLED ON NULL INPUT"),
        ("volatility", "VOLATILE"),
        ("execute as", r.execute_as),
        ("body", r.source),
        ("imports", "[" + ", ".join(r.imports) + "]"),
        ("handler", r.handler),
        ("runtime_version", r.runtime_version),
        ("packages", "[" + ",".join(f"'{p}'" for p in r.packages) + "]"),
        ("installed_packages", "[]"),
        ("artifact_repository", r.artifact_repository),
        ("is_aggregate", "false"),
    ]
    return rows_result([("property", "text"), ("value", "text")], rows, 0x4500)


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no parentheses, brackets or literals."""
    parts, depth, start = [], 0, 0
    for token in tokenize(text):
        depth += (token.text in "([{") - (token.text in ")]}") if token.kind == "symbol" else 0
        if token.text == "," and depth == 0:
            parts.append(text[start : token.start])
            start = token.end
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


_SHOWN = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("schema_name", "text"),
    ("is_builtin", "text"),
    ("is_aggregate", "text"),
    ("is_ansi", "text"),
    ("min_num_arguments", "fixed"),
    ("max_num_arguments", "fixed"),
    ("arguments", "text"),
    ("description", "text"),
    ("catalog_name", "text"),
    ("is_table_function", "text"),
    ("valid_for_clustering", "text"),
    ("is_secure", "text"),
    ("secrets", "text"),
    ("external_access_integrations", "text"),
]


@statement("SHOW", "PROCEDURES")
@statement("SHOW", "USER", "PROCEDURES")
def show_procedures(session: Session, current: Statement) -> Result:
    return show_routines(session, current, KIND)


def show_routines(session: Session, current: Statement, kind: str) -> Result:
    show = read_show(session, current.cursor)
    rows = []
    for database in show.databases(session):
        for record in session.account.catalog_of(database).list(session.duck, kind):
            if show.has(record.schema):
                r = Routine.of(record.body)
                needed = sum(d is None for _, _, d in r.arguments)
                rows.append(
                    (
                        record.created_on,
                        r.name,
                        record.schema,
                        "N",
                        "N",
                        "N",
                        needed,
                        len(r.arguments),
                        routines.shown_signature(r),
                        record.comment or "user-defined " + kind.lower(),
                        database,
                        "Y" if r.returns.upper().startswith("TABLE") else "N",
                        "N",
                        "N",
                        None,
                        None,
                    )
                )
    return rows_result(_SHOWN, show.cut(rows, 1))


# ----- calling


@statement("CALL")
def call(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    name_parts = cursor.name()
    text = cursor.parenthesized_text()
    if cursor.accept("INTO"):
        raise unsupported("CALL … INTO")
    cursor.end()
    if name_parts[-1] in SCALARS:
        values = _arguments(session, text)[0]
        answer = None if current.describe_only else SCALARS[name_parts[-1]](session, list(values))
        return rows_result([(name_parts[-1], "text")], [(None if answer is None else str(answer),)], 0x1000)
    name = session.resolve(name_parts)
    values, named = _arguments(session, text)
    count = len(values) + len(named)
    found = routines.find(session, KIND, name, count)
    if not found:
        raise SnowflakeError(f"SQL compilation error:\nUnknown user-defined procedure {name}.", 2141, "42601")
    return run(session, found[0], name, values, named, current)


def _arguments(session: Session, text: str) -> tuple[list[object], dict[str, object]]:
    """Argument expressions, evaluated: positional and named."""
    parts = _split(text)
    if not parts:
        return [], {}
    names: list[str | None] = []
    expressions = []
    for part in parts:
        cursor = Cursor(part)
        if cursor.peek().kind in ("word", "quoted") and cursor.peek(1).text == "=>":
            names.append(cursor.identifier())
            cursor.expect("=>")
            expressions.append(cursor.rest())
        else:
            names.append(None)
            expressions.append(part)
    row = run_query(session, "SELECT " + ", ".join(f"({e}) AS A{i}" for i, e in enumerate(expressions)))
    values = [jsonable(v, c) for v, c in zip(row.rows()[0], row.columns, strict=True)]
    positional = [v for v, n in zip(values, names, strict=True) if n is None]
    return positional, {n: v for v, n in zip(values, names, strict=True) if n is not None}


def jsonable(value: Any, column: Column) -> object:
    """A value as `compute` takes it: semi-structured decoded, times in ISO form, binary in hexadecimal."""
    if value is None:
        return None
    if column.type in ("variant", "object", "array"):
        return json.loads(value) if isinstance(value, str) else value
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def is_anonymous(text: str) -> bool:
    """WITH name AS PROCEDURE (…) … CALL name(…)."""
    cursor = Cursor(text)
    if not cursor.accept("WITH") or cursor.peek().kind not in ("word", "quoted"):
        return False
    cursor.identifier()
    return cursor.looking_at("AS", "PROCEDURE")


def call_anonymous(session: Session, current: Statement) -> Result:
    cursor = Cursor(current.text)
    cursor.expect("WITH")
    name = cursor.identifier()
    cursor.expect("AS", "PROCEDURE")
    routine = read_routine(name, cursor)
    cursor.accept(",")
    cursor.expect("CALL")
    if cursor.identifier() != name:
        raise cursor.error()
    values, named = _arguments(session, cursor.parenthesized_text())
    if cursor.accept("INTO"):
        raise unsupported("CALL … INTO")
    cursor.end()
    return run(session, routine, session.resolve((name,)), values, named, current)


def run(
    session: Session,
    routine: Routine,
    name: ObjectName,
    values: list[object],
    named: dict[str, object],
    current: Statement,
) -> Result:
    is_table = routine.returns.upper().startswith("TABLE")
    if current.describe_only:
        return _answer(routine, None) if not is_table else _empty_table(routine)
    warehouse.require(session)
    compute = session.account.compute
    if compute is None:
        raise unsupported("Python procedures without compute")
    arguments = list(values)
    for argument, _, default in routine.arguments[len(values) :]:
        if argument in named:
            arguments.append(named[argument])
        elif default is not None:
            arguments.append(_arguments(session, default)[0][0])
        else:
            raise routines.unknown(KIND, name, len(values) + len(named))
    ticket = session.account.tickets.issue(session, name)
    try:
        outcome = compute.run(
            ProcedureJob(
                handler=routine.handler,
                source=routine.source,
                imports=routines.import_files(session, routine),
                packages=routine.packages,
                arguments=arguments,
                argument_types=[kind for _, kind, _ in routine.arguments],
                connection=session.account.tickets.connection(session, ticket),
                returns=routine.returns,
                runtime_version=routine.runtime_version,
                nested=session.parent is not None,
            ),
            timeout=session.statement_timeout(),
            cancel=session.cancelled,
        )
    finally:
        session.account.tickets.withdraw(ticket)
    if outcome.error is not None:
        raise SnowflakeError(
            f"{outcome.error} in function {routine.name} with handler {routine.handler}", 100357, "P0000"
        )
    if outcome.table is not None:
        return _of_table(outcome.table)
    return _answer(routine, outcome.value)


def _answer(routine: Routine, value: Any) -> Result:
    wire = _WIRE.get(routines.canonical(routine.returns), "text")
    if value is not None:
        if wire in ("variant", "object", "array") and not isinstance(value, str):
            value = json.dumps(value)
        elif wire in ("variant", "object", "array"):
            value = json.dumps(value) if routines.canonical(routine.returns) == "VARIANT" else value
        elif wire == "date":
            value = datetime.date.fromisoformat(value)
        elif wire.startswith("timestamp"):
            value = datetime.datetime.fromisoformat(value)
        elif wire == "time":
            value = datetime.time.fromisoformat(value)
        elif wire == "binary":
            value = bytes.fromhex(value)
        elif wire == "fixed" and isinstance(value, float):
            value = int(value)
    return rows_result([(routine.name, wire)], [(value,)], 0x1000)


def _empty_table(routine: Routine) -> Result:
    inner = routine.returns[routine.returns.index("(") + 1 : -1] if "(" in routine.returns else ""
    columns = []
    for part in _split(inner):
        cursor = Cursor(part)
        columns.append(
            (cursor.identifier(), _WIRE.get(routines.canonical(routines.read_type(cursor)), "text"))
        )
    return rows_result(columns, [], 0x1000)


def _of_table(table: pa.Table) -> Result:
    import duckdb

    types = duckdb.from_arrow(table).types
    columns = tuple(column_of(n, str(t)) for n, t in zip(table.column_names, types, strict=True))
    return replace(Result(columns, table), rowcount=table.num_rows)
