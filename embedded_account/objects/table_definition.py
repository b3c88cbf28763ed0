"""What a CREATE TABLE says, taken apart. Keys are recorded and not enforced, as on Snowflake.

https://docs.snowflake.com/en/sql-reference/sql/create-table, …/constraints-overview
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error, unsupported
from embedded_account.names import ObjectName, duck, literal
from embedded_account.session import Session
from embedded_account.translate import Translation
from embedded_account.translate.steps import function_steps

_DROPPED_COLUMN = (
    exp.CommentColumnConstraint,
    exp.CollateColumnConstraint,
    exp.PrimaryKeyColumnConstraint,
    exp.UniqueColumnConstraint,
    exp.Reference,
)


def name_parts(table: Any) -> tuple[str, ...]:
    if isinstance(table.this, exp.DynamicIdentifier):
        from embedded_account.parse.cursor import Cursor

        return Cursor(table.this.this.this).name()
    if not isinstance(table.this, exp.Identifier):
        raise compilation_error(f"unexpected '{table.sql('snowflake')}'.")
    return tuple(
        part.name if part.quoted else part.name.upper()
        for part in (table.args.get(k) for k in ("catalog", "db", "this"))
        if part is not None
    )


class Definition:
    """What a CREATE TABLE says, taken apart: the body for DuckDB, comments, tags."""

    def __init__(self, session: Session, translation: Translation, expression: Any, name: ObjectName) -> None:
        self._name = name
        self.comment = ""
        self.column_comments: dict[str, str] = {}
        self.tags: dict[ObjectName, str | None] = {}
        self.keys: dict[str, list[str]] = {}
        # (address, start, increment) of the sequences that AUTOINCREMENT columns draw from
        self.sequences: list[tuple[str, int, int]] = []
        self.options: dict[str, object] = {}
        for found in (expression.args.get("properties") or exp.Properties()).expressions:
            if isinstance(found, exp.SchemaCommentProperty):
                self.comment = found.this.name
            elif isinstance(found, exp.Tags):
                for tag in found.expressions:
                    self.tags[session.resolve_text(tag.this.sql("snowflake"))] = tag.expression.name
            elif type(found) is exp.Property:
                value = found.args["value"]
                self.options[found.name.upper()] = value.name or value.sql("snowflake")
        columns = expression.this.expressions if isinstance(expression.this, exp.Schema) else []
        definitions = [c for c in columns if isinstance(c, exp.ColumnDef)]
        query, clone = expression.expression, expression.args.get("clone")
        like = next((p for p in _properties(expression) if isinstance(p, exp.LikeProperty)), None)
        if clone is not None:
            source = session.resolve(name_parts(clone.this))
            self.body = f"AS SELECT * FROM {session.table_address(source)}"
        elif like is not None:
            source = session.resolve(name_parts(like.this))
            self.body = f"AS SELECT * FROM {session.table_address(source)} LIMIT 0"
        elif query is not None:
            sql = translation.sql(query)
            self.body = f"AS {sql}" if not definitions else f"AS {self._cast(sql, definitions, translation)}"
        elif definitions:
            self.body = "(" + ", ".join(self._column(translation, c) for c in definitions) + ")"
        elif columns:
            raise unsupported("table definition without column types")
        else:
            raise unsupported("CREATE TABLE without columns")
        for constraint in columns:
            if isinstance(constraint, exp.PrimaryKey):
                self.keys["PRIMARY KEY"] = [
                    upper(c.this if isinstance(c, exp.Ordered) else c) for c in constraint.expressions
                ]

    def _cast(self, sql: str, definitions: list[Any], translation: Translation) -> str:
        names = [upper(c.this) for c in definitions]
        aliases = ", ".join(duck(n) for n in names)
        selected = ", ".join(
            f"CAST({duck(n)} AS {type_sql(c)}) AS {duck(n)}" if c.args.get("kind") else duck(n)
            for n, c in zip(names, definitions, strict=True)
        )
        return f"SELECT {selected} FROM ({sql}) AS q({aliases})"

    def _column(self, translation: Translation, column: Any) -> str:
        name = upper(column.this)
        kept = []
        for constraint in column.args.get("constraints") or []:
            kind = constraint.args.get("kind")
            if isinstance(kind, exp.CommentColumnConstraint):
                self.column_comments[name] = kind.this.name
            elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
                self.keys.setdefault("PRIMARY KEY", []).append(name)
            elif isinstance(kind, exp.NotNullColumnConstraint):
                if not kind.args.get("allow_null"):
                    kept.append("NOT NULL")
            elif isinstance(kind, exp.DefaultColumnConstraint):
                value = translation.sql(exp.select(exp.alias_(kind.this.copy(), "V", quoted=True)))
                text = value.removeprefix("SELECT ").removesuffix(' AS "V"')
                kept.append(f"DEFAULT ({text})")
            elif isinstance(
                kind, exp.AutoIncrementColumnConstraint | exp.GeneratedAsIdentityColumnConstraint
            ):
                start, step = _number(kind.args.get("start"), 1), _number(kind.args.get("increment"), 1)
                address = duck(self._name.database, self._name.schema, f"__{self._name.name}_{name}_seq")
                self.sequences.append((address, start, step))
                kept.append(f"DEFAULT nextval({literal(address)})")
            elif not isinstance(kind, _DROPPED_COLUMN):
                raise unsupported(f"column constraint {constraint.sql('snowflake')}")
        return " ".join([duck(name), type_sql(column), *kept])


def _number(value: Any, default: int) -> int:
    return int(value.this) if isinstance(value, exp.Literal) else default


def _properties(expression: Any) -> list[Any]:
    return list((expression.args.get("properties") or exp.Properties()).expressions)


def upper(identifier: Any) -> str:
    node = identifier.this if isinstance(identifier, exp.Column) else identifier
    return str(node.name) if node.quoted else str(node.name).upper()


def type_sql(column: Any) -> str:
    definition = exp.ColumnDef(this=exp.to_identifier("x"), kind=column.args["kind"].copy())
    return function_steps(definition).removeprefix("x ")
