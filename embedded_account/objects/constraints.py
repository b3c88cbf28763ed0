"""Constraints of tables. Snowflake records all of them and enforces NOT NULL alone.

https://docs.snowflake.com/en/sql-reference/constraints-overview, …/sql/create-table-constraint
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlglot import exp

from embedded_account.catalog import Record
from embedded_account.errors import compilation_error, unsupported

PRIMARY_KEY, UNIQUE, FOREIGN_KEY = "PRIMARY KEY", "UNIQUE", "FOREIGN KEY"


@dataclass(frozen=True)
class Constraint:
    kind: str
    columns: tuple[str, ...]
    name: str = ""
    # Of a foreign key: the name of the other table as its parts, and that table's columns.
    table: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def named(self) -> Constraint:
        return self if self.name else replace(self, name=f"SYS_CONSTRAINT_{uuid.uuid4()}")

    def renamed(self, old: str, new: str) -> Constraint:
        """The same after a column of its table got another name."""
        return replace(self, columns=tuple(new if column == old else column for column in self.columns))


def identifier(node: Any) -> str:
    """A sqlglot identifier as Snowflake stores it."""
    node = node.this if isinstance(node, exp.Column | exp.Ordered) else node
    return str(node.name) if node.quoted else str(node.name).upper()


def parts(table: Any) -> tuple[str, ...]:
    return tuple(identifier(part) for key in ("catalog", "db", "this") if (part := table.args.get(key)))


def read_inline(column: str, constraint: Any) -> Constraint | None:
    """The constraint that a column's own clause declares; None if the clause is about something else."""
    kind = constraint.args.get("kind")
    name = identifier(constraint.this) if constraint.args.get("this") else ""
    if isinstance(kind, exp.PrimaryKeyColumnConstraint):
        return Constraint(PRIMARY_KEY, (column,), name)
    if isinstance(kind, exp.UniqueColumnConstraint):
        _check_options(kind)
        return Constraint(UNIQUE, (column,), name)
    if isinstance(kind, exp.Reference):
        return _foreign_key((column,), name, kind)
    return None


def read_out_of_line(node: Any) -> Constraint:
    """`[CONSTRAINT name] PRIMARY KEY (…) | UNIQUE (…) | FOREIGN KEY (…) REFERENCES …`."""
    name = ""
    if isinstance(node, exp.Constraint):
        name, node = identifier(node.this), node.expressions[0]
    if isinstance(node, exp.PrimaryKey):
        _check_options(node)
        return Constraint(PRIMARY_KEY, tuple(map(identifier, node.expressions)), name)
    if isinstance(node, exp.UniqueColumnConstraint) and isinstance(node.this, exp.Schema):
        _check_options(node)
        return Constraint(UNIQUE, tuple(map(identifier, node.this.expressions)), name)
    if isinstance(node, exp.ForeignKey) and node.args.get("reference"):
        return _foreign_key(tuple(map(identifier, node.expressions)), name, node.args["reference"])
    raise unsupported(f"table constraint {node.sql('snowflake')[:60]}")


def _foreign_key(columns: tuple[str, ...], name: str, reference: Any) -> Constraint:
    _check_options(reference)
    target = reference.this
    if isinstance(target, exp.Schema):
        return Constraint(
            FOREIGN_KEY, columns, name, parts(target.this), tuple(map(identifier, target.expressions))
        )
    return Constraint(FOREIGN_KEY, columns, name, parts(target))


def _check_options(node: Any) -> None:
    for option in node.args.get("options") or []:
        if str(option).upper() == "ENFORCED":
            raise unsupported("ENFORCED constraint")


def of(record: Record) -> list[Constraint]:
    return [
        Constraint(
            found["kind"],
            tuple(found["columns"]),
            found["name"],
            tuple(found["table"]),
            tuple(found["references"]),
        )
        for found in record.body.get("constraints", [])
    ]


def keep(record: Record, constraints: list[Constraint]) -> Record:
    """The record with these constraints.

    Raises:
        SnowflakeError: if there are two primary keys or two constraints of one name.
    """
    if sum(constraint.kind == PRIMARY_KEY for constraint in constraints) > 1:
        raise compilation_error("primary key already exists for table.", 2200, "42601")
    named = [constraint.named() for constraint in constraints]
    taken = [constraint.name for constraint in named]
    for name in taken:
        if taken.count(name) > 1:
            raise compilation_error(f"Constraint '{name}' already exists.", 2002, "42710")
    return record.with_body(constraints=[asdict(constraint) for constraint in named])
