"""What is known of an expression's type before DuckDB sees it: enough to choose a rewriting, no more.

A kind is one of variant, text, number, time, boolean, binary. DuckDB knows each type exactly when it binds, and macros
choose by that; but it takes a VARIANT, which it holds as JSON, for text, so this must be found out here. Columns are
looked up by name in the tables of the statement. What is not known has no kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb
from sqlglot import exp

from embedded_account.names import duck
from embedded_account.session import Session

# Kinds of the results of functions in the table (registry.py).
RESULT_KINDS: dict[str, str] = {}

_DUCK_KINDS = {
    "JSON": "variant",
    "VARCHAR": "text",
    "DATE": "time",
    "TIME": "time",
    "TIMESTAMP": "time",
    "TIMESTAMP WITH TIME ZONE": "time",
    "TIMESTAMP_NS": "time",
    "BOOLEAN": "boolean",
    "BLOB": "binary",
}
_TEXT = (
    exp.Concat, exp.DPipe, exp.Upper, exp.Lower, exp.Substring, exp.Replace, exp.Left, exp.Right, exp.Repeat,
    exp.SplitPart, exp.Pad, exp.Reverse, exp.RegexpReplace, exp.RegexpExtract, exp.GroupConcat, exp.Initcap,
    exp.Translate, exp.ConcatWs, exp.Chr,
)  # fmt: skip
_VARIANT = (
    exp.JSONExtract, exp.Bracket, exp.ParseJSON, exp.Array, exp.Struct, exp.ArrayAgg, exp.ObjectAgg, exp.StarMap,
    exp.Split, exp.JSONObject, exp.ArrayUniqueAgg,
)  # fmt: skip
_NUMBER = (
    exp.Div, exp.Mul, exp.Mod, exp.Neg, exp.Count, exp.Sum, exp.Avg, exp.Abs, exp.Round, exp.Floor, exp.Ceil,
    exp.Length, exp.RowNumber, exp.Extract, exp.DateDiff, exp.Year, exp.Month, exp.Day,
)  # fmt: skip
_TIME = (
    exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.TimestampTrunc, exp.DateTrunc, exp.DateAdd,
    exp.AddMonths, exp.LastDay, exp.DateFromParts, exp.TimestampFromParts,
)  # fmt: skip
_BOOLEAN = (exp.Predicate, exp.Boolean, exp.Not, exp.Connector, exp.Between, exp.In)
# Those whose kind is the kind of their values.
_SAME = (
    exp.Max, exp.Min, exp.AnyValue, exp.Window, exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.NthValue,
    exp.Paren, exp.Alias, exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.Distinct, exp.Mode, exp.Nullif,
)  # fmt: skip
NOTHING: frozenset[str] = frozenset()


class Kinds:
    def __init__(self, session: Session, expression: Any) -> None:
        self._session = session
        # (database, schema, name), as DuckDB holds them
        self._tables: set[tuple[str, str, str]] = set()
        self._columns: dict[str, set[str]] = {}
        self._aliases: dict[str, list[Any]] = {}
        # Each with its node, which so keeps its id.
        self._known: dict[int, tuple[Any, frozenset[str]]] = {}
        self._asked: set[str] = set()
        self._read(expression)

    def note(self, node: Any, kinds: frozenset[str]) -> None:
        """What takes a node's place, or is its copy, has its kinds."""
        self._known[id(node)] = (node, kinds)

    def is_(self, node: Any, kind: str) -> bool:
        """Whether the node is of this kind, as far as known."""
        return kind in self.of(node)

    def surely(self, node: Any, kind: str) -> bool:
        return self.of(node) == {kind}

    def knows_column(self, name: str) -> bool:
        """Whether a table of the statement has such a column, or an alias is called so."""
        self._describe()
        return name in self._columns or name in self._aliases

    def hides_type(self, node: Any) -> bool:
        """Whether DuckDB does not see the argument's type when it chooses among overloads: in aggregates, windows,
        and aliases of the same SELECT."""
        alias = isinstance(node, exp.Column) and node.name in self._aliases and not node.table
        return alias or any(
            isinstance(inner, exp.AggFunc | exp.Window)
            for inner in node.walk(prune=lambda inner: isinstance(inner, exp.Query | exp.Subquery))
        )

    def type_of(self, node: Any) -> str:
        """The DuckDB type as far as overloads tell them apart, or ""."""
        kinds = self.of(node)
        times, others = kinds & _TIME_TYPES, kinds - _TIME_TYPES
        if len(others) > 1 or len(times) > 1 or not others:
            return ""
        (kind,) = others
        return next(iter(times), "TIMESTAMP") if kind == "time" else _CASTS[kind]

    def of(self, node: Any) -> frozenset[str]:
        if node is None:
            return NOTHING
        known = self._known.get(id(node))
        if known is not None:
            return known[1]
        if isinstance(node, exp.Literal):
            return frozenset(("text",) if node.is_string else ("number",))
        if isinstance(node, exp.Cast | exp.TryCast):
            return _cast_kinds(node.to)
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Anonymous):
            name = str(node.this)
            return frozenset(filter(None, (RESULT_KINDS.get(name.upper(), ""),)))
        if isinstance(node, exp.Coalesce):
            return self._union([node.this, *node.expressions])
        if isinstance(node, exp.Case):
            return self._union([i.args.get("true") for i in node.args["ifs"]] + [node.args.get("default")])
        if isinstance(node, exp.If):
            return self._union([node.args.get("true"), node.args.get("false")])
        if isinstance(node, exp.Nvl2):
            return self._union([node.args.get("true"), node.args.get("false")])
        if isinstance(node, exp.Greatest | exp.Least):
            return self._union([node.this, *node.expressions])
        if isinstance(node, exp.Add | exp.Sub):
            return self._union([node.this]) - {"text", "variant"} or frozenset(("number",))
        if isinstance(node, exp.Subquery):
            select = node.this
            first = select.expressions[0] if isinstance(select, exp.Select) and select.expressions else None
            return self.of(first)
        if isinstance(node, _SAME):
            return self.of(node.this)
        for kind, types in (
            ("variant", _VARIANT), ("text", _TEXT), ("number", _NUMBER), ("time", _TIME), ("boolean", _BOOLEAN)
        ):  # fmt: skip
            if isinstance(node, types):
                return frozenset((kind,))
        return NOTHING

    def _union(self, nodes: Iterable[Any]) -> frozenset[str]:
        return frozenset().union(*(self.of(node) for node in nodes if not isinstance(node, exp.Null)))

    def _column(self, node: Any) -> frozenset[str]:
        name = node.name
        self._describe()
        if name in self._asked:  # an alias that is made of itself
            return frozenset(self._columns.get(name, ()))
        self._asked.add(name)
        found = frozenset(self._columns.get(name, ())) | self._union(self._aliases.get(name, ()))
        self._asked.discard(name)
        self.note(node, found)
        return found

    def _read(self, expression: Any) -> None:
        """Note where columns and aliases come from, before anything is rewritten."""
        for node in expression.walk():
            if isinstance(node, exp.Table) and node.args.get("catalog") is not None:
                self._tables.add((node.catalog, node.db, node.name))
            elif isinstance(node, exp.Alias):
                self._aliases.setdefault(node.alias, []).append(node.this)
            elif isinstance(node, exp.Values):
                self._values(node)
            elif isinstance(node, exp.Lateral | exp.TableFromRows):
                _table_function(node, self._columns)

    def _values(self, node: Any) -> None:
        alias = node.args.get("alias")
        for at, column in enumerate((alias.args.get("columns") if alias is not None else None) or []):
            for row in node.expressions:
                cells = row.expressions if isinstance(row, exp.Tuple) else [row]
                if at < len(cells):
                    self._aliases.setdefault(column.name, []).append(cells[at])

    def _describe(self) -> None:
        """Kinds of all columns of the statement's tables."""
        while self._tables:
            try:
                found = self._types(*self._tables.pop())
            except duckdb.Error:  # the statement itself will say what is wrong
                continue
            for name, type_ in found:
                self._columns.setdefault(name, set()).update(_kinds_of(type_))

    def _types(self, database: str, schema: str, name: str) -> list[tuple[str, str]]:
        """Columns and their DuckDB types. A view's are looked up, for binding it may take long; a table's are bound,
        which takes less than looking. Nothing is run: an error would end a transaction."""
        connection = self._session.duck
        if self._session.account.is_view(connection, database, schema, name):
            rows = connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = ? AND schema_name = ? AND table_name = ?",
                [database, schema, name],
            ).fetchall()
            return [(str(column), str(type_)) for column, type_ in rows]
        relation = connection.sql(f"SELECT * FROM {duck(database, schema, name)}")
        return list(zip(relation.columns, map(str, relation.types), strict=True))


def _table_function(node: Any, columns: dict[str, set[str]]) -> None:
    if isinstance(node.this, exp.Explode):
        kinds = {
            "SEQ": "number",
            "KEY": "text",
            "PATH": "text",
            "INDEX": "number",
            "VALUE": "variant",
            "THIS": "variant",
        }
    else:
        kinds = {"SEQ": "number", "INDEX": "number", "VALUE": "text"}
    alias = node.args.get("alias")
    names = [column.name for column in (alias.args.get("columns") if alias is not None else None) or []]
    for name, kind in zip(names or kinds, kinds.values(), strict=False):
        columns.setdefault(name, set()).add(kind)


def _kinds_of(duck_type: str) -> set[str]:
    kind = _DUCK_KINDS.get(duck_type, "number")
    duck_type = duck_type.replace(" WITH TIME ZONE", "TZ").replace("_NS", "")
    return {kind, duck_type} if kind == "time" else {kind}


def _cast_kinds(to: Any) -> frozenset[str]:
    kind = cast_kind(to)
    if kind == "time":
        return frozenset((kind, _TIMES.get(to.this, "TIMESTAMP")))
    return frozenset(filter(None, (kind,)))


_TIMES = {
    exp.DataType.Type.DATE: "DATE",
    exp.DataType.Type.TIME: "TIME",
    exp.DataType.Type.TIMESTAMPTZ: "TIMESTAMPTZ",
    exp.DataType.Type.TIMESTAMPLTZ: "TIMESTAMPTZ",
}
_TIME_TYPES = frozenset(("DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"))
_CASTS = {"text": "VARCHAR", "variant": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN", "binary": "BLOB"}


def cast_kind(to: Any) -> str:
    kind = to.this
    types = exp.DataType
    if kind in (types.Type.VARIANT, types.Type.OBJECT, types.Type.ARRAY, types.Type.JSON):
        return "variant"
    if kind in types.TEXT_TYPES:
        return "text"
    if kind in types.TEMPORAL_TYPES or kind == types.Type.TIME:
        return "time"
    if kind == types.Type.BOOLEAN:
        return "boolean"
    if kind in (types.Type.BINARY, types.Type.VARBINARY):
        return "binary"
    return "number" if kind in types.NUMERIC_TYPES else ""
