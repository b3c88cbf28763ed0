"""The table of functions: how each Snowflake function, operator or cast is said in DuckDB's words.

A family's module registers its entries here. Functions in the table reach their entry as plain calls, whatever
expression sqlglot has for them; operators and casts are registered by sqlglot's type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.translate.kinds import RESULT_KINDS, Kinds


@dataclass(frozen=True)
class Context:
    """What a rewriting may ask about the statement."""

    kinds: Kinds


# A call: context and arguments to an expression.
Call = Callable[[Context, list[Any]], Any]
# An operator: context and node to another node, or None to leave it.
Operator = Callable[[Context, Any], Any]

CALLS: dict[str, tuple[Call, int, int]] = {}
OPERATORS: dict[type, list[Operator]] = {}


def function(*names: str, least: int = 1, most: int | None = None, kind: str = "") -> Callable[[Call], Call]:
    """Register a Snowflake function with how many arguments it takes and the kind of its result (see kinds.py)."""

    def register(call: Call) -> Call:
        for name in names:
            CALLS[name] = (call, least, least if most is None else most)
            if kind:
                RESULT_KINDS[name] = kind
        return call

    return register


# The types of each overload's parameters, "" for any.
OVERLOADS: dict[str, list[list[str]]] = {}


class Macro:
    """A DuckDB macro; each overload is "(parameters) AS expression", the last one for any type."""

    def __init__(self, name: str, *overloads: str) -> None:
        if len(overloads) > 1:
            OVERLOADS[name] = [_parameter_types(overload) for overload in overloads]
        self.name = name
        self.overloads = overloads

    @property
    def sql(self) -> str:
        return self._sql(self.overloads)

    @property
    def outline(self) -> str:
        """Its last overload alone. DuckDB binds a macro when it makes it, and then knows no types to choose by."""
        return self._sql(self.overloads[-1:])

    @property
    def single(self) -> list[str]:
        """Each overload by a name of its own: the macro's, two underscores, its place."""
        return [self._sql((overload,), f"__{at}") for at, overload in enumerate(self.overloads)]

    def _sql(self, overloads: tuple[str, ...], suffix: str = "") -> str:
        return f"CREATE OR REPLACE MACRO memory.main.{self.name}{suffix}" + ", ".join(overloads)


def _parameter_types(overload: str) -> list[str]:
    parameters = overload[1 : overload.index(")")].split(", ")
    return [parameter.partition(" ")[2].partition(" :=")[0] for parameter in parameters]


def operator(*types: type) -> Callable[[Operator], Operator]:
    def register(rewrite: Operator) -> Operator:
        for type_ in types:
            OPERATORS.setdefault(type_, []).append(rewrite)
        return rewrite

    return register


def macro(name: str, macro_name: str, least: int = 1, most: int | None = None, kind: str = "") -> None:
    """Register a function that is a DuckDB function or macro of the same arguments."""
    function(name, least=least, most=most, kind=kind)(lambda _, arguments: call(macro_name, *arguments))


def call(name: str, *arguments: Any) -> Any:
    return exp.Anonymous(this=name, expressions=list(arguments))


def text(value: str) -> Any:
    return exp.Literal.string(value)


def number(value: int) -> Any:
    return exp.Literal.number(value)


def constant_text(argument: Any, what: str) -> str:
    """The value of an argument that Snowflake wants as a constant: a string, or a bare word."""
    if isinstance(argument, exp.Literal) and argument.is_string:
        return str(argument.this)
    if isinstance(argument, exp.Column | exp.Var | exp.Identifier):
        return str(argument.name)
    raise compilation_error(
        f"invalid value [{argument.sql('snowflake')}] for parameter '{what}'", 1015, "22023"
    )


def is_duck(node: Any) -> bool:
    """Whether the node is DuckDB's already."""
    return bool(node.meta.get("duck"))


def rewrite(context: Context, expression: Any) -> Any:
    """Apply the table to every node, operands before what stands above them."""
    holder = exp.Paren(this=expression)
    for node in reversed(list(holder.walk(prune=is_duck))):
        if (
            node is holder
            or is_duck(node)
            or not (isinstance(node, exp.Anonymous) or type(node) in OPERATORS)
        ):
            continue
        kinds = context.kinds.of(node)
        replacement = _replacement(context, node)
        if replacement is not None and replacement is not node:
            context.kinds.note(replacement, kinds)
            node.replace(replacement)
    _tell_types(context, holder)
    result = holder.this
    result.pop()
    return result


def _tell_types(context: Context, expression: Any) -> None:
    """Name the overload where DuckDB cannot choose it."""
    for node in list(expression.find_all(exp.Anonymous)):
        overloads = OVERLOADS.get(str(node.this))
        if overloads is None or not any(context.kinds.hides_type(argument) for argument in node.expressions):
            continue
        types = [context.kinds.type_of(argument) for argument in node.expressions]
        fitting = (
            at
            for at, wanted in enumerate(overloads)
            if any(wanted) and all(not w or w == type_ for w, type_ in zip(wanted, types, strict=False))
        )
        chosen = next(fitting, len(overloads) - 1)
        if any(types) or not isinstance(node.expressions[0], exp.Column):
            node.set("this", f"{node.this}__{chosen}")


def _replacement(context: Context, node: Any) -> Any:
    if isinstance(node, exp.Anonymous):
        name = str(node.this).upper()
        found = CALLS.get(name)
        if found is None or isinstance(node.parent, exp.Dot):
            return None
        entry, least, most = found
        count = len(node.expressions)
        if count < least:
            raise compilation_error(
                f"not enough arguments for function [{node.sql('snowflake')}], expected {least}, got {count}",
                938,
                "22023",
            )
        if count > most:
            raise compilation_error(
                f"too many arguments for function [{node.sql('snowflake')}] expected {most}, got {count}",
                939,
                "22023",
            )
        return entry(context, list(node.expressions))
    for operation in OPERATORS.get(type(node), ()):
        replacement = operation(context, node)
        if replacement is not None and replacement is not node:
            return replacement
    return None
