"""Resolves every table name of a query: to its database file, a temporary table, a virtual table, a stage's files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sqlglot
from sqlglot import exp

from embedded_account import files
from embedded_account.errors import SnowflakeError, does_not_exist, unknown_table_function, unsupported
from embedded_account.functions import TABLES, VIRTUAL, TableCall
from embedded_account.names import ObjectName, shown
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result
from embedded_account.security import snowflake_database
from embedded_account.session import Session
from embedded_account.translate import Translation
from embedded_account.translate.dialect import called_name
from embedded_account.translate.vocabulary import is_function

_OWN = "scratch_table"
_ROWS = "rows"
_OWN_TABLE_FUNCTIONS = ("FLATTEN", "GENERATOR", "SPLIT_TO_TABLE", "STRTOK_SPLIT_TO_TABLE")
# Table functions that sqlglot knows and the later steps answer.
_READ_TABLE_FUNCTIONS = (exp.Explode, exp.Generator, exp.SplitToTable)


def inline_identifiers(expression: Any) -> Any:
    """IDENTIFIER('DB.S.T') → the name itself: https://docs.snowflake.com/en/sql-reference/identifier-literal"""
    for dynamic in list(expression.find_all(exp.DynamicIdentifier)):
        if not isinstance(dynamic.this, exp.Literal):
            raise unsupported("IDENTIFIER() of an expression")
        cursor = Cursor(dynamic.this.this)
        parts = [exp.to_identifier(part, quoted=True) for part in cursor.name()]
        cursor.end()
        parent = dynamic.parent
        if isinstance(parent, exp.Table):
            parent.set("this", parts[-1])
            parent.set("db", parts[-2] if len(parts) > 1 else None)
            parent.set("catalog", parts[-3] if len(parts) > 2 else None)
        else:
            dynamic.replace(exp.Column(this=parts[-1], table=parts[-2] if len(parts) > 1 else None))
    return expression


def tables(translation: Translation, expression: Any) -> Any:
    """Replace each reference to a table by where its rows are."""
    holder = exp.Paren(this=expression)
    _visit(translation, holder, frozenset())
    result = holder.this
    result.pop()
    return result


def _visit(translation: Translation, node: Any, hidden: frozenset[str]) -> None:
    """Walk down with the names of the common table expressions that hide tables here."""
    with_ = node.args.get("with_") or node.args.get("with")
    if isinstance(with_, exp.With):
        for cte in with_.expressions:
            own = hidden | {cte.alias} if with_.args.get("recursive") else hidden
            _visit(translation, cte, own)
            hidden = hidden | {cte.alias}
    if isinstance(node, exp.Table) and _replace_table(translation, node, hidden):
        return
    if isinstance(node, exp.TableFromRows) and _replace_function(translation, node):
        return
    for child in list(_children(node)):
        if child is not with_:
            _visit(translation, child, hidden)


def _children(node: Any) -> Iterable[Any]:
    for value in node.args.values():
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, exp.Expr):
                yield item


def scratch_table(name: str) -> Any:
    """A table that the account itself registered or made in DuckDB's temporary schema, which no user's text names."""
    parts = {"catalog": "temp", "db": "main", "this": name}
    table = exp.Table(**{key: exp.to_identifier(part, quoted=True) for key, part in parts.items()})
    table.meta[_OWN] = True
    return table


def rows_table(sql: str, alias: str) -> Any:
    """A table that stands for a query in DuckDB's words, whose text no user wrote."""
    table = scratch_table(alias)
    table.meta[_ROWS] = sql
    return table


def _replace_table(translation: Translation, node: Any, hidden: frozenset[str]) -> bool:
    """Whether the node was replaced by something that needs no further walk."""
    this = node.this
    if isinstance(this, exp.Var) or (isinstance(this, exp.Literal) and this.is_string):
        _replace_by_files(translation, node, this.this)
        return True
    if isinstance(this, exp.Anonymous):
        return _replace_call(translation, node, _parts(node)[:-1], this)
    if isinstance(this, exp.Func) and not isinstance(this, (exp.Anonymous, *_READ_TABLE_FUNCTIONS)):
        raise unknown_table_function(this.sql_name())
    if not isinstance(this, exp.Identifier):
        return False
    if _ROWS in node.meta:
        _replace_by_query(translation, node, node.meta[_ROWS], node.name)
        return True
    if _OWN in node.meta:
        return False
    parts = _parts(node)
    if len(parts) == 1 and parts[0] in hidden:
        return False
    if re.match(r"(@|snow://)", parts[-1]) and len(parts) == 1:
        _replace_by_files(translation, node, parts[0])
        return True
    found = _virtual(translation.session, parts)
    if found is not None:
        if isinstance(node.parent, exp.DML) and node.arg_key == "this":
            raise SnowflakeError(
                f"SQL access control error:\nInsufficient privileges to operate on view '{parts[-1]}'.",
                3001,
                "42501",
            )
        function, database = found
        # What it answers holds now, and a view would keep it.
        translation.transient |= database == "SNOWFLAKE"
        _shorten_columns(node, parts)
        _replace_by_query(translation, node, function(translation.session, database), parts[-1])
        return True
    if len(parts) > 3:
        raise does_not_exist("Object", ".".join(parts))
    name = translation.session.resolve(tuple(parts))
    temporary = ("TABLE", name) in translation.session.temporary
    if not temporary:
        _refuse_missing(translation.session, name)
    address = name.temporary_address if temporary else name.address
    for key, part in zip(("catalog", "db", "this"), address, strict=True):
        node.set(key, exp.to_identifier(part, quoted=True))
    if address[-1] != name.name and not node.alias:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(name.name, quoted=True)))
    return False


def _refuse_missing(session: Session, name: ObjectName) -> None:
    """Raise SnowflakeError unless the schema exists, and the object too if DuckDB could read its name as a file's."""
    session.existing_schema(name[:2])
    if re.fullmatch(r"\w+", name.name):
        return
    found = session.duck.execute(
        "SELECT 1 FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? LIMIT 1",
        list(name.address),
    ).fetchall()
    if not found:
        raise does_not_exist("Object", str(name))


def _parts(node: Any) -> list[str]:
    keys = ("catalog", "db", "this")
    return [node.args[key].name for key in keys if node.args.get(key) is not None]


def _virtual(session: Session, parts: list[str]) -> tuple[Any, str] | None:
    if len(parts) in (2, 3) and parts[-2] == "INFORMATION_SCHEMA":
        database = parts[-3] if len(parts) == 3 else session.current_database()
        if not session.account.has_database(database):
            raise does_not_exist("Database", shown(database))
        function = VIRTUAL.get(f"INFORMATION_SCHEMA.{parts[-1]}")
        if function is None:
            raise does_not_exist("Object", ".".join(map(shown, parts)))
        return function, database
    if len(parts) == 3 and parts[0] == "SNOWFLAKE":
        function = VIRTUAL.get(".".join(parts))
        if function is None:
            raise unsupported(".".join(parts))
        snowflake_database.require(session, parts)
        return function, "SNOWFLAKE"
    if session.schema == "INFORMATION_SCHEMA" and len(parts) == 1:
        function = VIRTUAL.get(f"INFORMATION_SCHEMA.{parts[0]}")
        return (function, session.current_database()) if function else None
    return None


def _shorten_columns(node: Any, parts: list[str]) -> None:
    """DB.SCHEMA.VIEW.COLUMN → VIEW.COLUMN, for what becomes a subquery of that name."""
    select = node.find_ancestor(exp.Select)
    if select is None or node.alias:
        return
    for column in select.find_all(exp.Column):
        place = [
            column.args[key].name for key in ("table", "db", "catalog") if column.args.get(key) is not None
        ]
        if len(place) > 1 and all(a == b for a, b in zip(place, reversed(parts), strict=False)):
            column.set("db", None)
            column.set("catalog", None)


def _replace_by_query(translation: Translation, node: Any, found: str | Result, name: str) -> None:
    sql = translation.relation(found) if isinstance(found, Result) else found
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if alias is not None else None
    label = (
        alias.this if alias is not None and alias.this is not None else exp.to_identifier(name, quoted=True)
    )
    inner = sqlglot.parse_one(sql, read="duckdb")
    inner.meta["duck"] = True
    subquery = exp.Subquery(this=inner, alias=exp.TableAlias(this=label, columns=columns or []))
    for key in ("joins", "pivots", "sample"):
        if node.args.get(key):
            subquery.set(key, node.args[key])
    node.replace(subquery)


def _replace_function(translation: Translation, node: Any) -> bool:
    """TABLE(f(…)): our own table functions; the rest (FLATTEN, GENERATOR) goes on to the later steps."""
    call, qualifiers = node.this, []
    while isinstance(call, exp.Dot):
        qualifiers += [part.name for part in [call.this] if isinstance(part, exp.Identifier)]
        if isinstance(call.this, exp.Dot):
            qualifiers = qualifiers if qualifiers else [part.name for part in call.this.flatten()]
        call = call.expression
    if isinstance(call, _READ_TABLE_FUNCTIONS):
        return False
    if not isinstance(call, exp.Anonymous):
        raise unknown_table_function(call.sql_name() if isinstance(call, exp.Func) else call.sql("snowflake"))
    return _replace_call(translation, node, qualifiers, call)


def _replace_call(translation: Translation, node: Any, qualifiers: list[str], call: Any) -> bool:
    name = called_name(call)
    upper = [q.upper() for q in qualifiers]
    key = f"INFORMATION_SCHEMA.{name}" if upper[-1:] == ["INFORMATION_SCHEMA"] else name
    function = TABLES.get(key)
    if function is None:
        if name in _OWN_TABLE_FUNCTIONS:
            return False
        if not is_function(name):
            raise unknown_table_function(".".join([*upper, name]))
        raise unsupported(f"TABLE({'.'.join([*upper, name])}(…))")
    database = qualifiers[-2] if len(qualifiers) > 1 else translation.session.database
    if key != name:
        _require_database(translation.session, database)
    arguments, named = [], {}
    for argument in call.expressions:
        if isinstance(argument, exp.Kwarg):
            named[argument.this.name.upper()] = constant(translation, argument.expression)
        else:
            arguments.append(constant(translation, argument))
    translation.transient = True
    found = function(translation.session, TableCall(arguments, named, database))
    _replace_by_query(translation, node, found, name)
    return True


def _require_database(session: Session, database: str | None) -> None:
    """Raise SnowflakeError unless there is the database whose INFORMATION_SCHEMA is asked."""
    name = session.current_database() if database is None else database
    if not session.account.has_database(name):
        raise does_not_exist("Database", shown(name))


def constant(translation: Translation, expression: Any) -> object:
    """The value of an argument that must not depend on rows."""
    if isinstance(expression, exp.Literal):
        if expression.is_string:
            return str(expression.this)
        return int(expression.this) if str(expression.this).isdigit() else float(expression.this)
    if isinstance(expression, exp.Boolean):
        return bool(expression.this)
    if isinstance(expression, exp.Null):
        return None
    sql = translation.sql(exp.select(expression.copy()))
    rows = translation.session.duck.execute(sql).fetchall()
    return rows[0][0] if rows else None


def _replace_by_files(translation: Translation, node: Any, text: str) -> None:
    """FROM @stage/path (FILE_FORMAT => …, PATTERN => …): the rows of staged files."""
    session = translation.session
    options: dict[str, object] = {}
    for argument in _stage_arguments(node):
        options[str(argument.this.name).upper()] = constant(translation, argument.expression)
    source = files.staged_rows(session, text, options, translation.on_exit)
    select = node.find_ancestor(exp.Select)
    alias = node.alias or "STAGED"
    if select is not None:
        name_staged_columns(select, alias, source)
    inner = sqlglot.parse_one(source.sql, read="duckdb")
    inner.meta["duck"] = True
    node.replace(exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True))))


def _stage_arguments(node: Any) -> list[Any]:
    found = []
    for key in ("format", "pattern"):
        value = node.args.get(key)
        if value is not None:
            name = {"format": "FILE_FORMAT", "pattern": "PATTERN"}[key]
            found.append(exp.Kwarg(this=exp.var(name), expression=value))
    return found


def name_staged_columns(select: Any, alias: str, source: files.StagedRows) -> None:
    """`$1:"A"` is a column of a Parquet row, `$2` the second column of a CSV row."""
    for extract in list(select.find_all(exp.JSONExtract)):
        if not isinstance(extract.this, exp.Parameter) or not source.by_name:
            continue
        keys = [part.this for part in extract.expression.expressions if isinstance(part, exp.JSONPathKey)]
        if len(keys) != 1:
            continue
        column = source.column(str(keys[0]))
        extract.replace(exp.column(exp.to_identifier(column, quoted=True)) if column else exp.Null())
    for parameter in list(select.find_all(exp.Parameter)):
        if isinstance(parameter.this, exp.Literal) and not parameter.this.is_string:
            column = source.position(int(parameter.this.this))
            parameter.replace(exp.column(exp.to_identifier(column, quoted=True)) if column else exp.Null())
