"""Snowflake queries in DuckDB's words: small ordered steps over sqlglot's expressions.

`Translation` holds what one statement needs while it runs (registered results, functions) and removes it afterwards.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from embedded_account.errors import SnowflakeError, compilation_error, statement_count
from embedded_account.names import ObjectName, duck, literal
from embedded_account.parse.cursor import tokenize
from embedded_account.result import Result
from embedded_account.session import Session
from embedded_account.translate.dialect import EmbeddedSnowflake, check


def parse(text: str) -> Any:
    """One Snowflake statement as a sqlglot expression.

    Raises:
        SnowflakeError: 001003 with the place, as Snowflake words it.
    """
    if "!" in text:
        from embedded_account.objects.model_calls import inline_aliases  # objects import this package

        text = inline_aliases(text)
    if "snow://" in text:
        text = _quote_urls(text)
    try:
        statements = sqlglot.parse(text, read=EmbeddedSnowflake)
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        detail = (
            f"syntax error line {place.get('line', 1)} at position {place.get('col', 0)} "
            f"unexpected '{place.get('highlight', '')}'."
        )
        raise compilation_error(detail) from None
    except TokenError as error:
        raise compilation_error(f"syntax error: {error}") from None
    except RecursionError:
        raise compilation_error("Statement is nested too deeply.", 1003, "42000") from None
    found = [s for s in statements if s is not None and not isinstance(s, exp.Semicolon)]
    if len(found) > 1:
        raise statement_count(len(found), 1)
    if not found:
        raise SnowflakeError("Empty SQL statement.", 900, "42000")
    expression = found[0]
    if isinstance(expression, exp.Command):
        raise compilation_error(f"syntax error: unexpected '{str(expression.this)[:40]}'.")
    check(expression)
    return expression


def _quote_urls(text: str) -> str:
    """Bare `snow://…` as a string literal: sqlglot takes its `//` for a comment."""
    out, at = [], 0
    for token in tokenize(text):
        if token.kind == "stage" and token.text.startswith("snow://"):
            out += [text[at : token.start], literal(token.text)]
            at = token.end
    return "".join([*out, text[at:]])


class Translation:
    """Use as a context manager around running the SQL it makes."""

    def __init__(self, session: Session, describe_only: bool = False) -> None:
        self.session = session
        self.describe_only = describe_only
        self._cleanups: list[Callable[[], object]] = []
        self._failure: SnowflakeError | None = None
        # Whether the SQL refers to something that ends with the statement, so that no view may keep it.
        self.transient = False
        # The permanent table that a DML statement writes to.
        self.target: ObjectName | None = None

    def __enter__(self) -> Translation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for cleanup in reversed(self._cleanups):
            with contextlib.suppress(duckdb.Error):
                cleanup()
        if self._failure is not None and isinstance(error, duckdb.Error):
            # DuckDB keeps only the first line of what a function raised.
            raise self._failure from error

    def sql(self, expression: Any) -> str:
        """DuckDB SQL of a parsed Snowflake query or DML statement. The expression is used up."""
        from embedded_account.translate import steps  # the steps need this class

        try:
            return steps.apply(self, expression)
        except NotImplementedError as error:
            raise SnowflakeError(f"Unsupported feature '{error}'.", 2, "0A000") from error

    def query(self, text: str) -> str:
        return self.sql(parse(text))

    def on_exit(self, cleanup: Callable[[], object]) -> None:
        self.transient = True
        self._cleanups.append(cleanup)

    def relation(self, result: Result) -> str:
        """DuckDB SQL of a query over a finished result's rows."""
        name = self.session.scratch_name("result")
        connection = self.session.duck
        columns = [f"c{i}" for i in range(len(result.columns))]
        connection.register(name, result.table.rename_columns(columns))
        self.on_exit(lambda: connection.unregister(name))
        selected = ", ".join(
            duck(raw)
            + ("::JSON" if column.type in ("variant", "object", "array") else "")
            + f" AS {duck(column.name)}"
            for raw, column in zip(columns, result.columns, strict=True)
        )
        return f"SELECT {selected} FROM {duck(name)}"

    def function(self, python: Callable[..., Any], parameters: list[str], returns: str) -> str:
        """A DuckDB function over Arrow columns that lives as long as this statement; its name."""
        name = self.session.scratch_name("function")
        connection = self.session.duck

        def fixed(*columns: Any) -> Any:
            try:
                return python(*columns)
            except SnowflakeError as error:
                self._failure = error
                raise

        # DuckDB counts the parameters of what it is given.
        named = [
            inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(parameters))
        ]
        fixed.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
        connection.create_function(
            name,
            fixed,
            [duckdb.sqltype(p) for p in parameters],
            duckdb.sqltype(returns),
            type="arrow",
            null_handling="special",
            side_effects=True,
        )
        self.on_exit(lambda: connection.remove_function(name))
        return name
