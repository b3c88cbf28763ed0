"""Snowflake's dialect as sqlglot reads it, without what is not Snowflake's.

sqlglot reads every dialect's functions in every dialect; a name that Snowflake does not document must stay the call of
a user's function, which is looked up and otherwise refused. The same holds for syntax, types and statements.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import TokenType

from embedded_account.errors import compilation_error, unknown_function, unsupported
from embedded_account.functions import SCALARS
from embedded_account.translate.families import CALLS
from embedded_account.translate.vocabulary import FUNCTIONS, is_function

_MARK = "user_defined"
_FOREIGN_TYPE = "foreign_type"
# https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
_TYPE_NAMES = """
    ARRAY BIGINT BINARY BOOLEAN BYTEINT CHAR CHARACTER DATE DATETIME DEC DECFLOAT DECIMAL DOUBLE FILE FLOAT FLOAT4
    FLOAT8 GEOGRAPHY GEOMETRY INT INTEGER INTERVAL MAP NCHAR NULL NUMBER NUMERIC NVARCHAR NVARCHAR2 OBJECT REAL SMALLINT
    STRING TEXT TIME TIMESTAMP TIMESTAMPLTZ TIMESTAMPNTZ TIMESTAMPTZ TIMESTAMP_LTZ TIMESTAMP_NTZ TIMESTAMP_TZ TINYINT
    UUID VARBINARY VARCHAR VARIANT VECTOR
"""
_TYPES = frozenset(_TYPE_NAMES.split()) | {
    "CHAR VARYING",
    "CHARACTER VARYING",
    "DOUBLE PRECISION",
    "NCHAR VARYING",
}
# TABLE(…) and IDENTIFIER(…) are syntax, which sqlglot reads as functions. Functions in the table stay plain calls.
_READ = (FUNCTIONS | {"IDENTIFIER", "TABLE"}) - CALLS.keys()


class EmbeddedSnowflake(Snowflake):
    class Parser(Snowflake.Parser):
        FUNCTIONS = {n: build for n, build in Snowflake.Parser.FUNCTIONS.items() if n in _READ}
        FUNCTION_PARSERS = {n: read for n, read in Snowflake.Parser.FUNCTION_PARSERS.items() if n in _READ}
        NO_PAREN_FUNCTIONS = {
            token: kind
            for token, kind in Snowflake.Parser.NO_PAREN_FUNCTIONS.items()
            if token != TokenType.CURRENT_DATETIME
        }

        def _parse_types(self, *arguments: Any, **named: Any) -> Any:
            """Remember a type that is not Snowflake's as it is written. `INT[]` is DuckDB's ARRAY(INT)."""
            written = " ".join(self._curr.text.upper().split()) if self._curr else ""
            kind = super()._parse_types(*arguments, **named)
            if isinstance(kind, exp.DataType):
                if self._prev.token_type == TokenType.R_BRACKET:
                    written += "[]"
                if written not in _TYPES:
                    kind.meta[_FOREIGN_TYPE] = written
            return kind

        def _parse_select_query(self, *arguments: Any, **named: Any) -> Any:
            """A query does not begin with FROM."""
            if self._match(TokenType.FROM, advance=False):
                return None
            return super()._parse_select_query(*arguments, **named)


# A statement is the root of its tree and nowhere else.
_STATEMENTS = (
    exp.Alter,
    exp.Analyze,
    exp.Attach,
    exp.Block,
    exp.Command,
    exp.Copy,
    exp.Create,
    exp.Delete,
    exp.Describe,
    exp.Detach,
    exp.Drop,
    exp.Grant,
    exp.Insert,
    exp.Kill,
    exp.LoadData,
    exp.Merge,
    exp.Pragma,
    exp.Set,
    exp.Show,
    exp.Summarize,
    exp.TruncateTable,
    exp.Update,
    exp.Use,
)
_FOREIGN_SYNTAX = {
    exp.Comprehension: "for",
    exp.Glob: "glob",
    exp.OnConflict: "on conflict",
    exp.Operator: "operator",
    exp.Returning: "returning",
    exp.SimilarTo: "similar to",
}


def check(expression: Any) -> None:
    """Refuse what a tree, as it was parsed, holds that Snowflake does not have, and mark the calls of unknown names.

    Raises:
        SnowflakeError: 001003 for syntax, 002040 for a type, 002140 for a function.
    """
    for node in expression.walk():
        foreign = _FOREIGN_SYNTAX.get(type(node)) or _foreign_clause(node)
        if foreign or (isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star)):
            raise compilation_error(f"syntax error: unexpected '{foreign or '*'}'.")
        if isinstance(node, _STATEMENTS) and node is not expression and not _in_merge(node):
            raise compilation_error(f"syntax error: unexpected '{node.key.upper()}'.")
        if isinstance(node, exp.Any | exp.All) and node.this == exp.Tuple():
            raise compilation_error("syntax error: unexpected ')'.")
        if isinstance(node, exp.Struct) and not all(
            isinstance(entry, exp.PropertyEQ | exp.Star) for entry in node.expressions
        ):
            raise compilation_error("syntax error: unexpected '{'.")
        if isinstance(node, exp.Unnest):
            raise unknown_function("UNNEST")
        if isinstance(node, exp.HistoricalData):
            raise unsupported("time travel")
        if (
            isinstance(node, exp.Tuple)
            and isinstance(node.parent, exp.Select)
            and node.arg_key == "expressions"
        ):
            raise compilation_error("Invalid row expression.", 1003, "42000")
        if _FOREIGN_TYPE in node.meta:
            raise compilation_error(f"Unsupported data type '{node.meta[_FOREIGN_TYPE]}'.", 2040, "0A000")
        if isinstance(node, exp.Anonymous):
            name = called_name(node)
            if not is_function(name) and name not in SCALARS:
                node.meta[_MARK] = True


def _foreign_clause(node: Any) -> str:
    """The word that is not Snowflake's in a clause that it otherwise has."""
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        return "on"
    if isinstance(node, exp.Join) and node.args.get("kind") in ("SEMI", "ANTI"):
        return str(node.args["kind"]).lower()
    if isinstance(node, exp.LimitOptions) and node.args.get("percent"):
        return "%"
    if isinstance(node, exp.TableSample) and isinstance(node.parent, exp.Select):
        return "using sample"
    return ""


def _in_merge(node: Any) -> bool:
    """MERGE … WHEN MATCHED THEN UPDATE …: its actions are statements inside one."""
    return isinstance(node.parent, exp.When)


def called_name(node: Any) -> str:
    """The name of a call, as Snowflake compares names: upper-cased unless quoted."""
    this = node.this
    if isinstance(this, exp.Identifier):
        return this.name if this.quoted else this.name.upper()
    return str(this).upper()


def is_users(call: Any) -> bool:
    """Whether a call, as `check` left it, can only be that of a user's function."""
    return bool(call.meta.get(_MARK)) or (isinstance(call.parent, exp.Dot) and call.arg_key == "expression")
