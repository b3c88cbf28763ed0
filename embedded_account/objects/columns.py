"""Columns of tables: what CREATE and ALTER TABLE declare, and what a table has.

DuckDB holds names, types, defaults, NOT NULL and comments; the table's record holds what DuckDB has no place for:
defaults as they were written, and the sequences of AUTOINCREMENT columns.
https://docs.snowflake.com/en/sql-reference/sql/create-table
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.errors import compilation_error, unsupported
from embedded_account.names import ObjectName, duck, literal
from embedded_account.objects import constraints
from embedded_account.objects.constraints import Constraint, identifier
from embedded_account.session import Session
from embedded_account.translate import Translation
from embedded_account.translate.steps import function_steps


@dataclass(frozen=True)
class Identity:
    """AUTOINCREMENT START n INCREMENT n. `sequence` is the address of the DuckDB sequence, once there is one."""

    start: int
    step: int
    ordered: bool = False
    sequence: str = ""

    def __str__(self) -> str:
        return f"IDENTITY START {self.start} INCREMENT {self.step} {'ORDER' if self.ordered else 'NOORDER'}"

    def in_schema(self, *schema: str) -> Identity:
        """With a sequence of its own in this DuckDB schema."""
        return replace(self, sequence=duck(*schema, f"__identity_{uuid.uuid4().hex}"))


@dataclass(frozen=True)
class TableColumn:
    name: str
    # A DuckDB type; empty in `CREATE TABLE t (a, b) AS …`.
    type: str = ""
    not_null: bool = False
    # The default as DuckDB computes it, and as it was written.
    default: str | None = None
    default_text: str | None = None
    identity: Identity | None = None
    comment: str | None = None
    tags: dict[ObjectName, str | None] = field(default_factory=dict)
    # Whether the default is the same for every row that ever gets it.
    constant: bool = True

    @property
    def ddl(self) -> str:
        clauses = [duck(self.name), self.type]
        if self.identity is not None:
            clauses.append(f"DEFAULT nextval({literal(self.identity.sequence)})")
        elif self.default is not None:
            clauses.append(f"DEFAULT ({self.default})")
        if self.not_null:
            clauses.append("NOT NULL")
        return " ".join(clauses)

    def create_sequence(self, connection: duckdb.DuckDBPyConnection, start: int | None = None) -> None:
        if self.identity is not None:
            start = self.identity.start if start is None else start
            kind = "TEMP SEQUENCE" if self.identity.sequence.startswith('"temp".') else "SEQUENCE"
            address = self.identity.sequence.removeprefix('"temp"."main".')
            low, high = ("MINVALUE -9223372036854775808", "MAXVALUE 9223372036854775807")
            connection.execute(
                f"CREATE {kind} {address} START {start} INCREMENT {self.identity.step} {low} {high}"
            )


def read_column(translation: Translation, node: Any) -> tuple[TableColumn, list[Constraint]]:
    """A column's declaration and the constraints inside it."""
    column = TableColumn(identifier(node.this), type_sql(node) if node.args.get("kind") else "")
    found: list[Constraint] = []
    for clause in node.args.get("constraints") or []:
        kind = clause.args.get("kind")
        constraint = constraints.read_inline(column.name, clause)
        if constraint is not None:
            found.append(constraint)
        elif isinstance(kind, exp.CommentColumnConstraint):
            column = replace(column, comment=kind.this.name)
        elif isinstance(kind, exp.NotNullColumnConstraint):
            column = replace(column, not_null=not kind.args.get("allow_null"))
        elif isinstance(kind, exp.DefaultColumnConstraint):
            column = replace(
                column,
                default=default_sql(translation, kind.this),
                default_text=_text(kind.this),
                constant=all(isinstance(call, exp.Cast) for call in kind.this.find_all(exp.Func)),
            )
        elif isinstance(kind, exp.AutoIncrementColumnConstraint | exp.GeneratedAsIdentityColumnConstraint):
            step = _number(kind.args.get("increment"), 1)
            if step == 0:
                raise compilation_error("invalid value 0 for parameter 'INCREMENT'", 1008, "22023")
            identity = Identity(_number(kind.args.get("start"), 1), step, bool(kind.args.get("order")))
            column = replace(column, identity=identity, constant=False)
        elif isinstance(kind, exp.Tags):
            tags = {
                translation.session.resolve_text(tag.this.sql("snowflake")): tag.expression.name
                for tag in kind.expressions
            }
            column = replace(column, tags=tags)
        elif isinstance(kind, exp.CollateColumnConstraint) and kind.this.name == "":
            continue
        elif not isinstance(kind, exp.ForeignKey):  # its REFERENCES comes as the next clause
            raise unsupported(f"column clause {clause.sql('snowflake')[:60]}")
    return column, found


def _text(expression: Any) -> str:
    """A default as DESCRIBE prints it."""
    if isinstance(expression, exp.Literal) and expression.is_string:
        return literal(expression.name)
    return str(expression.sql("snowflake", normalize_functions="upper"))


def default_sql(translation: Translation, expression: Any) -> str:
    """A default as DuckDB computes it."""
    value = translation.sql(exp.select(exp.alias_(expression.copy(), "V", quoted=True)))
    return value.removeprefix("SELECT ").removesuffix(' AS "V"')


def _number(value: Any, default: int) -> int:
    if isinstance(value, exp.Neg):
        return -_number(value.this, default)
    return int(value.this) if isinstance(value, exp.Literal) else default


def type_sql(column: Any) -> str:
    definition = exp.ColumnDef(this=exp.to_identifier("x"), kind=column.args["kind"].copy())
    return function_steps(definition).removeprefix("x ")


def body_of(columns: Iterable[TableColumn]) -> dict[str, Any]:
    """What the record of a table keeps of its columns."""
    found: dict[str, Any] = {}
    for column in columns:
        if column.identity is not None:
            found[column.name] = {"identity": vars(column.identity)}
        elif column.default_text is not None:
            found[column.name] = {"default": column.default_text}
    return found


def of_table(session: Session, name: ObjectName, record: Record) -> list[TableColumn]:
    """The columns that a table, view or dynamic table has."""
    temporary = ("TABLE", name) in session.temporary
    rows = session.duck.execute(
        "SELECT column_name, data_type, is_nullable, column_default, comment FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        list(name.temporary_address if temporary else name.address),
    ).fetchall()
    kept = record.body.get("columns", {})
    found = []
    for column, kind, nullable, default, comment in rows:
        more = kept.get(column, {}) if isinstance(kept, dict) else {}
        identity = Identity(**more["identity"]) if "identity" in more else None
        text = more.get("default", default) if identity is None else None
        default = default if identity is None else None
        found.append(TableColumn(column, kind, not nullable, default, text, identity, comment))
    return found
