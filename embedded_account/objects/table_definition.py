"""What a CREATE TABLE says, taken apart: https://docs.snowflake.com/en/sql-reference/sql/create-table"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error, invalid_value, unsupported, wrong_kind
from embedded_account.names import ObjectName, duck, shown
from embedded_account.objects import columns, constraints, relations, table_records
from embedded_account.objects.columns import TableColumn
from embedded_account.objects.constraints import PRIMARY_KEY, Constraint, identifier
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session
from embedded_account.translate import Translation

_SILENT = (exp.CopyGrantsProperty, exp.TransientProperty, exp.TemporaryProperty, exp.LikeProperty)
_BOOLEANS = ("CHANGE_TRACKING", "ENABLE_SCHEMA_EVOLUTION")
_DAYS = {"DATA_RETENTION_TIME_IN_DAYS": 90, "MAX_DATA_EXTENSION_TIME_IN_DAYS": 90}


def name_parts(table: Any) -> tuple[str, ...]:
    if isinstance(table.this, exp.DynamicIdentifier):
        return Cursor(table.this.this.this).name()
    if not isinstance(table.this, exp.Identifier):
        raise compilation_error(f"unexpected '{table.sql('snowflake')}'.")
    return constraints.parts(table)


def check_option(name: str, value: object) -> object:
    """The value of an option of CREATE TABLE or ALTER TABLE SET, as it is kept.

    Raises:
        SnowflakeError: 0A000 for an option that would do nothing here, 001008 for a value it may not have.
    """
    text = str(value).upper()
    if name in _BOOLEANS:
        if text not in ("TRUE", "FALSE"):
            raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
        if name == "ENABLE_SCHEMA_EVOLUTION" and text == "TRUE":
            raise unsupported("ENABLE_SCHEMA_EVOLUTION = TRUE")
        return text == "TRUE"
    if name in _DAYS:
        if not text.isdigit() or int(text) > _DAYS[name]:
            raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
        return int(text)
    if name == "COMMENT" or (name == "DEFAULT_DDL_COLLATION" and text == ""):
        return str(value)
    raise unsupported(f"TABLE option {name}")


@dataclass
class Definition:
    """`source` is the table of LIKE and CLONE, `query` the DuckDB SQL after AS."""

    columns: list[TableColumn] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    comment: str = ""
    cluster_by: str = ""
    options: dict[str, object] = field(default_factory=dict)
    tags: dict[ObjectName, str | None] = field(default_factory=dict)
    query: str | None = None
    source: ObjectName | None = None
    copies_rows: bool = False


def read_definition(session: Session, translation: Translation, expression: Any) -> Definition:
    found = Definition()
    _read_properties(session, expression, found)
    listed = expression.this.expressions if isinstance(expression.this, exp.Schema) else []
    for node in listed:
        if isinstance(node, exp.ColumnDef):
            column, inline = columns.read_column(translation, node)
            found.columns.append(column)
            found.constraints += inline
        elif isinstance(node, exp.Identifier):
            found.columns.append(TableColumn(identifier(node)))
        else:
            found.constraints.append(constraints.read_out_of_line(node))
    if expression.args.get("clone") is not None:
        _read_clone(session, expression.args["clone"], found)
    if expression.expression is not None:
        found.query = translation.sql(expression.expression)
    elif found.source is None:
        if not found.columns:
            raise unsupported("CREATE TABLE without columns")
        if not all(column.type for column in found.columns):
            raise unsupported("table definition without column types")
    _check_columns(found)
    return found


def _read_properties(session: Session, expression: Any, found: Definition) -> None:
    for node in (expression.args.get("properties") or exp.Properties()).expressions:
        if isinstance(node, exp.SchemaCommentProperty):
            found.comment = node.this.name
        elif isinstance(node, exp.Tags):
            for tag in node.expressions:
                found.tags[session.resolve_text(tag.this.sql("snowflake"))] = tag.expression.name
        elif isinstance(node, exp.Cluster | exp.ClusterProperty):
            found.cluster_by = cluster_key(", ".join(e.sql("snowflake") for e in node.expressions))
        elif isinstance(node, exp.LikeProperty):
            found.source = existing(session, session.resolve(name_parts(node.this)))
        elif type(node) is exp.Property:
            name, value = str(node.name).upper(), node.args["value"]
            text = str(value.this) if isinstance(value, exp.Literal | exp.Boolean) else value.sql("snowflake")
            found.options[name] = check_option(name, text)
        elif not isinstance(node, _SILENT):
            raise unsupported(f"CREATE TABLE … {node.sql('snowflake')[:60]}")


def _read_clone(session: Session, clone: Any, found: Definition) -> None:
    if clone.this.args.get("when") is not None:
        raise unsupported("CLONE AT or BEFORE a point in time")
    found.source = existing(session, session.resolve(name_parts(clone.this)))
    found.copies_rows = True
    if relations.kind_of(session, found.source) == relations.VIEW:
        raise wrong_kind(relations.VIEW, relations.TABLE)


def existing(session: Session, name: ObjectName) -> ObjectName:
    if not table_records.is_temporary(session, name) and not relations.kind_of(session, name):
        relations.require(session, name, relations.TABLE)
    return name


def cluster_key(text: str) -> str:
    """A clustering key as SHOW TABLES prints it."""
    text = text.strip()
    return text if text.upper().startswith("LINEAR(") else f"LINEAR({text})"


def _check_columns(found: Definition) -> None:
    names = [column.name for column in found.columns]
    for name in names:
        if names.count(name) > 1:
            raise compilation_error(f"duplicate column name '{name}'", 2025, "42S21")
        if sum(name.casefold() == other.casefold() for other in names) > 1:
            raise unsupported(f"columns whose names differ only in case, as {shown(name)}")
    for constraint in found.constraints:
        if missing := [c for c in constraint.columns if names and c not in names]:
            raise compilation_error(f"invalid identifier '{missing[0]}'", 904, "42000")
    keys = {
        c for constraint in found.constraints if constraint.kind == PRIMARY_KEY for c in constraint.columns
    }
    # A primary key's columns are NOT NULL, the one part of it that Snowflake enforces.
    found.columns = [replace(c, not_null=True) if c.name in keys else c for c in found.columns]


def select_into(found: Definition, query: str) -> str:
    """The query after AS with the declared names and types."""
    aliases = ", ".join(duck(column.name) for column in found.columns)
    selected = ", ".join(
        f"CAST({duck(c.name)} AS {c.type}) AS {duck(c.name)}" if c.type else duck(c.name)
        for c in found.columns
    )
    return f"SELECT {selected} FROM ({query}) AS q({aliases})"
