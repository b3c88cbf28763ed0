"""Python user-defined functions: CREATE, DROP, DESCRIBE, SHOW, and their calls inside queries.

A call becomes a DuckDB function over Arrow columns that sends batches to a worker of `compute/`.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlglot import exp

from embedded_account.compute import FunctionJob
from embedded_account.errors import SnowflakeError, unsupported
from embedded_account.names import OWN_PREFIX
from embedded_account.objects import procedures, routines
from embedded_account.objects.routines import Routine, read_routine
from embedded_account.result import Result
from embedded_account.security import warehouse
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation, parse
from embedded_account.translate.dialect import called_name

KIND = "FUNCTION"
_DUCK = {
    "VARCHAR": "VARCHAR",
    "NUMBER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMPTZ",
    "TIMESTAMP_TZ": "TIMESTAMPTZ",
    "VARIANT": "VARCHAR",
    "OBJECT": "VARCHAR",
    "ARRAY": "VARCHAR",
    "BINARY": "BLOB",
}
_UNSEEN = "BIGINT"
_JSON = ("VARIANT", "OBJECT", "ARRAY")


@statement("CREATE", "FUNCTION")
def create_function(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    exists_ok = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    routine = read_routine(name.name, cursor)
    cursor.end()
    if routine.returns.upper().startswith("TABLE"):
        raise unsupported("table functions")
    return routines.create(session, current, KIND, name, routine, exists_ok)


@statement("DROP", "FUNCTION")
def drop_function(session: Session, current: Statement) -> Result:
    return procedures.drop_routine(session, current, KIND)


@statement("DESCRIBE", "FUNCTION")
@statement("DESC", "FUNCTION")
def describe_function(session: Session, current: Statement) -> Result:
    return procedures.describe_routine(session, current, KIND)


@statement("SHOW", "FUNCTIONS")
@statement("SHOW", "USER", "FUNCTIONS")
def show_functions(session: Session, current: Statement) -> Result:
    return procedures.show_routines(session, current, KIND)


def replace_call(translation: Translation, node: Any) -> bool:
    """Replace the call if it names a function of a user; whether it did.

    Raises:
        SnowflakeError: 002141 for a qualified name without a function.
    """
    session = translation.session
    parts = [called_name(node)]
    if parts[0].startswith(OWN_PREFIX):
        return False
    outer = node
    while isinstance(outer.parent, exp.Dot) and outer.parent.expression is outer:
        outer = outer.parent
    if outer is not node:
        parts = [p.name for p in outer.this.flatten() if isinstance(p, exp.Identifier)] + parts
    elif session.schema is None:
        return False
    if parts[0].upper() == "SNOWFLAKE" and len(parts) > 1:
        raise unsupported(f"{'.'.join(parts)}(…)")
    name = session.resolve(tuple(parts))
    found = routines.find(session, KIND, name, len(node.expressions))
    if not found:
        if outer is not node:
            raise SnowflakeError(
                f"SQL compilation error:\nUnknown user-defined function {name}.", 2141, "42601"
            )
        return False
    routine = found[0]
    call = exp.Anonymous(
        this=_duck_function(translation, routine), expressions=_arguments(routine, node.expressions)
    )
    wrapped: Any = call
    if routines.canonical(routine.returns) in _JSON:
        wrapped = exp.cast(call, exp.DataType.build("JSON"))
    outer.replace(wrapped)
    return True


def _arguments(routine: Routine, given: list[Any]) -> list[Any]:
    """The arguments with the declared types, those left out by their defaults. A function without any takes one that
    it does not see, as DuckDB tells the number of rows by a column.
    """
    defaults = [
        parse(f"SELECT {default}").expressions[0] for _, _, default in routine.arguments[len(given) :]
    ]
    kinds = [_DUCK.get(routines.canonical(kind), "VARCHAR") for _, kind, _ in routine.arguments]
    return [
        exp.cast(a.copy(), exp.DataType.build(k, dialect="duckdb"))
        for a, k in zip([*given, *defaults], kinds, strict=True)
    ] or [exp.cast(exp.Literal.number(0), exp.DataType.build(_UNSEEN, dialect="duckdb"))]


def _duck_function(translation: Translation, routine: Routine) -> str:
    session = translation.session
    if not translation.describe_only:
        warehouse.require(session)
    compute = session.account.compute
    if compute is None:
        raise unsupported("Python functions without compute")
    returns = _DUCK.get(routines.canonical(routine.returns))
    if returns is None:
        raise unsupported(f"RETURNS {routine.returns}")
    kinds = [_DUCK.get(routines.canonical(kind), "VARCHAR") for _, kind, _ in routine.arguments]
    imports = routines.import_files(session, routine)

    def run(*columns: Any) -> Any:
        table = pa.table({f"a{i}": column for i, column in enumerate(columns)})
        outcome = compute.run(
            FunctionJob(
                handler=routine.handler,
                table=table,
                argument_types=[kind for _, kind, _ in routine.arguments],
                returns=routine.returns,
                source=routine.source,
                imports=imports,
                packages=routine.packages,
                runtime_version=routine.runtime_version,
            ),
            timeout=session.statement_timeout(),
            cancel=session.cancelled,
        )
        if outcome.error is not None or outcome.table is None:
            message = f"{outcome.error} in function {routine.name} with handler {routine.handler}"
            raise SnowflakeError(message, 100357, "P0000")
        return outcome.table.column("RESULT").combine_chunks()

    return translation.function(run, kinds or [_UNSEEN], returns)
