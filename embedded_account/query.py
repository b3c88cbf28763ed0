"""Queries and DML: SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE, and transactions."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from fakesnow.transforms.merge import operations as merge_operations
from sqlglot import exp

from embedded_account import result as types
from embedded_account.duck_types import column_of
from embedded_account.errors import compilation_error, unsupported
from embedded_account.names import ObjectName
from embedded_account.parameters import parameter
from embedded_account.result import Result, counts, status
from embedded_account.security import warehouse
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.translate import Translation, parse
from embedded_account.translate.names import inline_identifiers, scratch_table


def run_duck(session: Session, sql: str, describe_only: bool = False, computes: bool = False) -> Result:
    """Run a DuckDB query and take its rows with Snowflake's column types.

    What `computes` needs a warehouse, once it is known to compile.
    """
    relation = session.duck.sql(sql)
    if relation is None:
        return status("Statement executed successfully.")
    columns = tuple(column_of(n, str(t)) for n, t in zip(relation.columns, relation.types, strict=True))
    if describe_only:
        empty: list[list[Any]] = [[] for _ in columns]
        return Result(columns, pa.table({f"c{i}": pa.array(e, pa.null()) for i, e in enumerate(empty)}))
    if computes:
        warehouse.require(session)
    table = relation.to_arrow_table()
    return Result(columns, table, rowcount=table.num_rows)


def run_query(session: Session, text: str, describe_only: bool = False) -> Result:
    """Run the text of a Snowflake query."""
    with Translation(session, describe_only) as translation:
        expression = parse(expand_variables(session, text))
        if not isinstance(expression, exp.Query | exp.Values):
            raise compilation_error(f"syntax error: unexpected '{expression.key.upper()}'.")
        computes = warehouse.reads_rows(expression)
        return run_duck(session, translation.sql(expression), describe_only, computes)


def expand_variables(session: Session, text: str) -> str:
    """Session variables: https://docs.snowflake.com/en/sql-reference/session-variables"""
    if "$" not in text or not session.variables:
        return text
    from embedded_account.parse.cursor import tokenize

    out, at = [], 0
    for token in tokenize(text):
        value = session.variables.get(token.text[1:].upper()) if token.kind == "variable" else None
        if value is not None:
            out += [text[at : token.start], value]
            at = token.end
    return "".join([*out, text[at:]])


@statement("SELECT")
@statement("(")
@statement("VALUES")
@statement("WITH")
def select(session: Session, current: Statement) -> Result:
    if current.text.lstrip()[:4].upper() == "WITH" or current.text.lstrip()[:1] in "-/":
        from embedded_account.objects import procedures

        if procedures.is_anonymous(current.text):
            return procedures.call_anonymous(session, current)
    _begin_if_needed(session, current, write=False)
    return run_query(session, current.text, current.describe_only)


def _begin_if_needed(session: Session, current: Statement, write: bool = True) -> None:
    """With autocommit off, the first DML opens a transaction."""
    if write and not session.autocommit and not session.in_transaction and not current.describe_only:
        session.begin_transaction()


def _lock(session: Session, expression: Any) -> None:
    """Wait for the table that an UPDATE, DELETE or MERGE changes, as long as LOCK_TIMEOUT says."""
    inline_identifiers(expression)
    target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
    if not isinstance(target, exp.Table) or not isinstance(target.this, exp.Identifier):
        return  # what is no table is refused when it is translated
    parts = [target.args[key] for key in ("catalog", "db", "this") if target.args.get(key) is not None]
    lock_table(session, session.resolve(tuple(p.name if p.quoted else p.name.upper() for p in parts)))


def lock_table(session: Session, name: ObjectName) -> None:
    """Wait for the table as long as LOCK_TIMEOUT says; it is free again when the transaction ends."""
    if session.find_temporary("TABLE", name) is not None:
        return
    session.account.locks.acquire(session, name, float(parameter(session, "LOCK_TIMEOUT")))
    if session.in_transaction and not session.transaction_wrote:
        # A statement sees what was committed when it began; in DuckDB, when its transaction did.
        # https://docs.snowflake.com/en/sql-reference/transactions#read-committed-isolation
        session.duck.execute("ROLLBACK")
        session.duck.execute("BEGIN")


_INSERTED = "number of rows inserted"
_UPDATED = "number of rows updated"
_DELETED = "number of rows deleted"


@statement("INSERT")
def insert(session: Session, current: Statement) -> Result:
    described = counts({_INSERTED: 0}, types.INSERT)
    if current.describe_only:
        return described
    _begin_if_needed(session, current)
    expression = parse(expand_variables(session, current.text))
    if isinstance(expression, exp.MultitableInserts):
        raise unsupported("INSERT ALL")
    with Translation(session) as translation:
        _uppercase_columns(expression)
        if current.batch is not None:
            _insert_from_batch(translation, expression, current.batch)
        overwrite = bool(expression.args.get("overwrite"))
        expression.set("overwrite", False)
        if overwrite:
            _lock(session, expression)
        sql = translation.sql(expression)
        if overwrite:
            target = expression.find(exp.Table)
            return _overwrite(translation, sql, target.sql(dialect="duckdb"))
        return counts({_INSERTED: _affected(translation, sql)}, types.INSERT)


def _uppercase_columns(expression: Any) -> None:
    """`INSERT INTO t (a, b)`: sqlglot keeps the column list beside the table."""
    if isinstance(expression.this, exp.Schema):
        for column in expression.this.expressions:
            if isinstance(column, exp.Identifier) and not column.quoted:
                column.set("this", column.name.upper())
                column.set("quoted", True)


def _overwrite(translation: Translation, sql: str, target: str) -> Result:
    """Insert, then delete what was there before: the query may read the table itself."""
    session = translation.session
    with session.writing():
        ((last,),) = session.duck.execute(f"SELECT max(rowid) FROM {target}").fetchall()
        count = _affected(translation, sql)
        if last is not None:
            session.duck.execute(f"DELETE FROM {target} WHERE rowid <= {last}")
            _note_change(translation, 1)
    return counts({_INSERTED: count}, types.INSERT)


def _insert_from_batch(translation: Translation, expression: Any, batch: list[list[object]]) -> None:
    """`INSERT … VALUES (?, …)` over arrays of values, as one INSERT … SELECT."""
    rows = expression.expression
    if not isinstance(rows, exp.Values) or len(rows.expressions) != 1:
        raise unsupported("array binding outside INSERT … VALUES (?, …)")
    session = translation.session
    name = session.scratch_name("batch")
    table = pa.table({f"b{i}": pa.array(column) for i, column in enumerate(batch)})
    session.duck.register(name, table)
    translation.on_exit(lambda: session.duck.unregister(name))
    kinds = _target_types(session, expression)
    projections = list(rows.expressions[0].expressions)
    used = iter(range(len(batch)))
    for at, projection in enumerate(projections):
        holder = exp.Paren(this=projection)
        for placeholder in list(holder.find_all(exp.Placeholder)):
            index = next(used)
            column: Any = exp.column(exp.to_identifier(f"b{index}", quoted=True))
            if pa.types.is_string(table.column(index).type) and kinds[at].startswith(("DATE", "TIMESTAMP")):
                column = exp.Anonymous(this="_text_to_timestamp", expressions=[column])
            placeholder.replace(column)
        projections[at] = holder.this
    expression.set("expression", exp.Select(expressions=projections).from_(scratch_table(name)))


def _target_types(session: Session, expression: Any) -> list[str]:
    """DuckDB types of the columns that an INSERT names, in its order."""
    target = expression.this.this if isinstance(expression.this, exp.Schema) else expression.this
    with Translation(session) as translation:
        relation = session.duck.sql(translation.sql(exp.select("*").from_(target.copy())))
    found = dict(zip(relation.columns, map(str, relation.types), strict=True))
    if isinstance(expression.this, exp.Schema):
        return [found.get(column.name, "") for column in expression.this.expressions]
    return list(found.values())


def _affected(translation: Translation, sql: str) -> int:
    """Run DML; the number of rows that it changed, which its table's record knows of in the same transaction."""
    session = translation.session
    with session.writing():
        rows = session.duck.execute(sql).fetchall()
        count = int(rows[0][0]) if rows else 0
        _note_change(translation, count)
    return count


def _note_change(translation: Translation, count: int) -> None:
    target = translation.target
    if target is not None and count:
        catalog = translation.session.account.catalog_of(target.database)
        catalog.changed(translation.session.duck, target.schema, target.name)


@statement("UPDATE")
def update(session: Session, current: Statement) -> Result:
    answer = {_UPDATED: 0, "number of multi-joined rows updated": 0}
    if current.describe_only:
        return counts(answer, types.UPDATE)
    _begin_if_needed(session, current)
    expression = parse(expand_variables(session, current.text))
    _lock(session, expression)
    with Translation(session) as translation:
        answer[_UPDATED] = _affected(translation, translation.sql(expression))
    return counts(answer, types.UPDATE)


@statement("DELETE")
def delete(session: Session, current: Statement) -> Result:
    if current.describe_only:
        return counts({_DELETED: 0}, types.DELETE)
    _begin_if_needed(session, current)
    expression = parse(expand_variables(session, current.text))
    _lock(session, expression)
    with Translation(session) as translation:
        count = _affected(translation, translation.sql(expression))
    return counts({_DELETED: count}, types.DELETE)


@statement("MERGE")
def merge(session: Session, current: Statement) -> Result:
    expression = parse(expand_variables(session, current.text))
    names = [n for n, indices in merge_operations(expression).items() if indices]
    answer = {f"number of rows {name}": 0 for name in names}
    if current.describe_only:
        return counts(answer, types.MERGE)
    _begin_if_needed(session, current)
    _lock(session, expression)
    with Translation(session) as translation:
        sql = translation.sql(expression)
        with session.writing():
            rows = session.duck.execute(f"{sql} RETURNING merge_action").fetchall()
            _note_change(translation, len(rows))
    word = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
    for (action,) in rows:
        key = f"number of rows {word[str(action)]}"
        answer[key] = answer.get(key, 0) + 1
    return counts(answer, types.MERGE)


@statement("BEGIN")
@statement("START", "TRANSACTION")
def begin(session: Session, current: Statement) -> Result:
    current.cursor.accept_any("WORK", "TRANSACTION")
    if current.cursor.accept("NAME"):
        current.cursor.identifier()
    if not current.cursor.done:
        raise unsupported("Snowflake Scripting block")
    if not current.describe_only and not session.in_transaction:
        session.begin_transaction()
    return status("Statement executed successfully.", types.TCL)


@statement("COMMIT")
def commit(session: Session, current: Statement) -> Result:
    return _finish(session, current, "COMMIT")


@statement("ROLLBACK")
def rollback(session: Session, current: Statement) -> Result:
    return _finish(session, current, "ROLLBACK")


def _finish(session: Session, current: Statement, word: str) -> Result:
    current.cursor.accept("WORK")
    current.cursor.end()
    if not current.describe_only and session.in_transaction:
        session.end_transaction(word)
    return status("Statement executed successfully.", types.TCL)


@statement("EXPLAIN")
def explain(session: Session, current: Statement) -> Result:
    current.cursor.accept("USING", "TEXT")
    with Translation(session) as translation:
        sql = translation.query(current.cursor.rest())
        rows = session.duck.execute(f"EXPLAIN {sql}").fetchall()
    text = "\n".join(str(row[-1]) for row in rows)
    return types.rows_result([("content", "text")], [(text,)], types.SELECT)
