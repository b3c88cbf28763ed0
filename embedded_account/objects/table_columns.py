"""ALTER TABLE … ADD, DROP, RENAME and ALTER COLUMN, and constraints.

https://docs.snowflake.com/en/sql-reference/sql/alter-table, …/sql/alter-table-column
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from embedded_account.catalog import Record
from embedded_account.duck_types import column_of, sql_type
from embedded_account.errors import SnowflakeError, compilation_error, unsupported
from embedded_account.names import ObjectName, duck, shown
from embedded_account.objects import columns, constraints, table_records
from embedded_account.objects.columns import TableColumn
from embedded_account.objects.constraints import FOREIGN_KEY, PRIMARY_KEY, UNIQUE, Constraint
from embedded_account.objects.tables import comment_on_column
from embedded_account.objects.tagging import read_tags, read_unset_tags, set_tags
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session
from embedded_account.statements import Statement
from embedded_account.translate import Translation, parse

_KEYS = (("PRIMARY", "KEY"), ("UNIQUE",), ("FOREIGN", "KEY"), ("CONSTRAINT",))


@dataclass
class _Table:
    """A table while one statement changes it."""

    session: Session
    name: ObjectName
    record: Record
    columns: list[TableColumn]
    constraints: list[Constraint]

    @property
    def address(self) -> str:
        return self.session.table_address(self.name)

    def run(self, clause: str) -> None:
        self.session.duck.execute(f"ALTER TABLE {self.address} {clause}")

    def find(self, column: str) -> TableColumn | None:
        return next((found for found in self.columns if found.name == column), None)

    def column(self, name: str) -> TableColumn:
        found = self.find(name)
        if found is None:
            raise compilation_error(f"invalid identifier '{shown(name)}'", 904, "42000")
        return found

    def put(self, old: TableColumn, new: TableColumn) -> None:
        self.columns = [new if column is old else column for column in self.columns]

    def is_empty(self) -> bool:
        return not self.session.duck.execute(f"SELECT 1 FROM {self.address} LIMIT 1").fetchall()


def alter(session: Session, current: Statement, name: ObjectName) -> None:
    """Everything behind ALTER TABLE <name> that is about columns or constraints: all of it or nothing."""
    if current.describe_only:
        return
    cursor = current.cursor
    with table_records.changing(session, name, table_records.is_temporary(session, name)):
        record = table_records.load(session, name)
        found = columns.of_table(session, name, record)
        table = _Table(session, name, record, found, constraints.of(record))
        if cursor.accept("ADD"):
            _add(table, cursor)
        elif cursor.accept("DROP"):
            _drop(table, cursor)
        elif cursor.accept("RENAME", "COLUMN"):
            _rename(table, cursor)
        elif cursor.accept("RENAME", "CONSTRAINT"):
            _rename_constraint(table, cursor)
        elif cursor.accept_any("ALTER", "MODIFY"):
            _change(table, cursor)
        else:
            raise unsupported(f"ALTER TABLE … {cursor.peek().text} {cursor.peek(1).text}".rstrip())
        cursor.end()
        kept = constraints.keep(table.record, table.constraints)
        table_records.save(session, name, kept.with_body(columns=columns.body_of(table.columns)))


# ----- ADD


def _refuse_near(table: _Table, name: str) -> None:
    """DuckDB finds columns whatever their case, so it holds no two that differ in that alone."""
    if any(column.name.casefold() == name.casefold() for column in table.columns):
        raise unsupported(f"columns whose names differ only in case, as {shown(name)}")


def _add(table: _Table, cursor: Cursor) -> None:
    if any(cursor.looking_at(*words) for words in _KEYS):
        _add_constraint(table, cursor)
        return
    if cursor.looking_at("SEARCH") or cursor.looking_at("ROW") or cursor.looking_at("DATA"):
        raise unsupported(f"ALTER TABLE … ADD {cursor.peek().word} {cursor.peek(1).word}")
    while True:
        cursor.accept("COLUMN")
        exists_ok = cursor.accept("IF", "NOT", "EXISTS")
        column, inline = _read_column(table.session, cursor.element())
        taken = table.find(column.name) is not None
        if taken and not exists_ok:
            raise compilation_error(f"column '{shown(column.name)}' already exists", 1430, "42601")
        if not taken:
            _refuse_near(table, column.name)
            _add_column(table, column)
            table.constraints += inline
        if not cursor.accept(","):
            return


def _read_column(session: Session, text: str) -> tuple[TableColumn, list[Constraint]]:
    expression = parse(f"CREATE TABLE T ({text})")
    with Translation(session) as translation:
        column, inline = columns.read_column(translation, expression.this.expressions[0])
    if not column.type:
        raise compilation_error(f"syntax error: unexpected '{text}'.")
    keyed = any(constraint.kind == PRIMARY_KEY for constraint in inline)
    return (replace(column, not_null=True) if keyed else column), inline


def _add_column(table: _Table, column: TableColumn) -> None:
    if not table.is_empty():
        if not column.constant:
            raise compilation_error(
                f"Cannot add column '{column.name}' with non-constant default to non-empty table "
                f"'{table.name.name}'.",
                2262,
                "22000",
            )
        if column.not_null and (column.default is None or column.default.upper() == "NULL"):
            raise SnowflakeError(
                f"SQL compilation error: Non-nullable column '{column.name}' cannot be added to non-empty table "
                f"'{table.name.name}' unless it has a non-null default value.",
                2263,
                "22000",
            )
    if column.identity is not None:
        schema = table_records.schema_of(table.session, table.name)
        column = replace(column, identity=column.identity.in_schema(*schema))
        column.create_sequence(table.session.duck)
    table.run(f"ADD COLUMN {column.ddl}")
    if column.comment is not None:
        comment_on_column(table.session, table.address, column.name, column.comment)
    _set_tags(table, column.name, column.tags)
    table.columns.append(column)


def _set_tags(table: _Table, column: str, tags: dict[ObjectName, str | None]) -> None:
    if tags and table_records.is_temporary(table.session, table.name):
        raise unsupported("tags of a temporary table")
    name = table.name
    set_tags(table.session, name.database, "TABLE", (name.schema, name.name), tags, column)


def _add_constraint(table: _Table, cursor: Cursor) -> None:
    expression = parse(f"CREATE TABLE T ({cursor.element()})")
    constraint = constraints.read_out_of_line(expression.this.expressions[0])
    for name in constraint.columns:
        column = table.column(name)
        if constraint.kind == PRIMARY_KEY and not column.not_null:
            _set_not_null(table, column)
    table.constraints.append(constraint)


# ----- DROP


def _drop(table: _Table, cursor: Cursor) -> None:
    if cursor.accept("CONSTRAINT"):
        name = cursor.identifier()
        _drop_constraints(table, [c for c in table.constraints if c.name == name], name)
    elif cursor.accept("PRIMARY", "KEY"):
        _drop_constraints(table, [c for c in table.constraints if c.kind == PRIMARY_KEY], PRIMARY_KEY)
    elif (
        kind := UNIQUE if cursor.accept("UNIQUE") else FOREIGN_KEY if cursor.accept("FOREIGN", "KEY") else ""
    ):
        cursor.expect("(")
        listed = _names(cursor)
        cursor.expect(")")
        found = [c for c in table.constraints if c.kind == kind and c.columns == tuple(listed)]
        _drop_constraints(table, found, kind)
    elif any(cursor.looking_at(word) for word in ("SEARCH", "ROW", "ALL", "DATA")):
        raise unsupported(f"ALTER TABLE … DROP {cursor.peek().word} {cursor.peek(1).word}")
    else:
        cursor.accept("COLUMN")
        exists_ok = cursor.accept("IF", "EXISTS")
        for name in _names(cursor):
            if not exists_ok or table.find(name) is not None:
                _drop_column(table, table.column(name))
    cursor.accept_any("CASCADE", "RESTRICT")


def _names(cursor: Cursor) -> list[str]:
    found = [cursor.identifier()]
    while cursor.accept(","):
        cursor.accept("COLUMN")
        found.append(cursor.identifier())
    return found


def _drop_constraints(table: _Table, found: list[Constraint], what: str) -> None:
    if not found:
        raise compilation_error(f"Constraint '{what}' does not exist.", 2003, "42S02")
    table.constraints = [constraint for constraint in table.constraints if constraint not in found]


def _drop_column(table: _Table, column: TableColumn) -> None:
    if len(table.columns) == 1:
        raise compilation_error(
            f"Cannot drop column '{shown(column.name)}': it is the only one.", 2027, "42601"
        )
    table.run(f"DROP COLUMN {duck(column.name)}")
    _drop_sequence(table, column)
    table.columns.remove(column)
    table.constraints = [c for c in table.constraints if column.name not in c.columns]
    if not table_records.is_temporary(table.session, table.name):
        catalog = table.session.account.catalog_of(table.name.database)
        catalog.forget_column(table.session.duck, table.name[1:], column.name)


def _drop_sequence(table: _Table, column: TableColumn) -> None:
    if column.identity is not None:
        table.session.duck.execute(f"DROP SEQUENCE IF EXISTS {column.identity.sequence}")


# ----- RENAME


def _rename(table: _Table, cursor: Cursor) -> None:
    column = table.column(cursor.identifier())
    cursor.expect("TO")
    new = cursor.identifier()
    if table.find(new) is not None:
        raise compilation_error(f"column '{shown(new)}' already exists", 1430, "42601")
    if new.casefold() != column.name.casefold():
        _refuse_near(table, new)
    table.run(f"RENAME COLUMN {duck(column.name)} TO {duck(new)}")
    table.put(column, replace(column, name=new))
    table.constraints = [constraint.renamed(column.name, new) for constraint in table.constraints]
    if not table_records.is_temporary(table.session, table.name):
        catalog = table.session.account.catalog_of(table.name.database)
        catalog.rename_column(table.session.duck, table.name[1:], column.name, new)


def _rename_constraint(table: _Table, cursor: Cursor) -> None:
    old = cursor.identifier()
    cursor.expect("TO")
    new = cursor.identifier()
    if all(constraint.name != old for constraint in table.constraints):
        raise compilation_error(f"Constraint '{old}' does not exist.", 2003, "42S02")
    table.constraints = [replace(c, name=new) if c.name == old else c for c in table.constraints]


# ----- ALTER COLUMN


def _change(table: _Table, cursor: Cursor) -> None:
    bracketed = cursor.accept("(")
    while True:
        cursor.accept("COLUMN")
        _change_column(table, table.column(cursor.identifier()), cursor)
        if not cursor.accept(","):
            break
    if bracketed:
        cursor.expect(")")


def _change_column(table: _Table, column: TableColumn, cursor: Cursor) -> None:
    quoted = duck(column.name)
    if cursor.accept("COMMENT"):
        comment = cursor.string()
        comment_on_column(table.session, table.address, column.name, comment)
        table.put(column, replace(column, comment=comment))
    elif cursor.accept("UNSET", "COMMENT"):
        comment_on_column(table.session, table.address, column.name, None)
        table.put(column, replace(column, comment=None))
    elif cursor.accept("DROP", "DEFAULT"):
        table.run(f"ALTER COLUMN {quoted} DROP DEFAULT")
        _drop_sequence(table, column)
        table.put(column, replace(column, default=None, default_text=None, identity=None))
    elif cursor.accept("DROP", "NOT", "NULL"):
        table.run(f"ALTER COLUMN {quoted} DROP NOT NULL")
        table.put(column, replace(column, not_null=False))
    elif cursor.accept("SET", "NOT", "NULL"):
        _set_not_null(table, column)
    elif cursor.looking_at("SET", "TAG"):
        cursor.expect("SET")
        _set_tags(table, column.name, read_tags(table.session, cursor))
    elif cursor.accept("UNSET", "TAG"):
        _set_tags(table, column.name, read_unset_tags(table.session, cursor))
    elif cursor.looking_at("SET", "DEFAULT"):
        # Snowflake changes a default only from one sequence to another.
        raise unsupported("ALTER TABLE … ALTER COLUMN … SET DEFAULT")
    elif cursor.looking_at("SET") and not cursor.looking_at("SET", "DATA", "TYPE"):
        raise unsupported(f"ALTER TABLE … ALTER COLUMN … SET {cursor.peek(1).word} {cursor.peek(2).word}")
    elif cursor.looking_at("UNSET"):
        raise unsupported(f"ALTER TABLE … ALTER COLUMN … UNSET {cursor.peek(1).word} {cursor.peek(2).word}")
    else:
        cursor.accept("SET", "DATA", "TYPE") or cursor.accept("TYPE")
        _set_type(table, column, cursor.element())


def _set_not_null(table: _Table, column: TableColumn) -> None:
    address, quoted = table.address, duck(column.name)
    if table.session.duck.execute(f"SELECT 1 FROM {address} WHERE {quoted} IS NULL LIMIT 1").fetchall():
        raise compilation_error(
            f"Column '{shown(column.name)}' contains null values. Not null constraint cannot be added.",
            2136,
            "22000",
        )
    table.run(f"ALTER COLUMN {quoted} SET NOT NULL")
    table.put(column, replace(column, not_null=True))


def _set_type(table: _Table, column: TableColumn, text: str) -> None:
    """Only sizes may change, and a scale not: every other change is refused, as on Snowflake."""
    new, _ = _read_column(table.session, f"{duck(column.name)} {text}")
    was, becomes = column_of(column.name, column.type), column_of(column.name, new.type)
    if was.type != becomes.type or was.scale != becomes.scale:
        raise compilation_error(
            f"cannot change column {shown(column.name)} from type {sql_type(was)} to {sql_type(becomes)}",
            2108,
            "22000",
        )
    if new.type != column.type:
        table.run(f"ALTER COLUMN {duck(column.name)} SET DATA TYPE {new.type}")
        table.put(column, replace(column, type=new.type))
