"""Errors in Snowflake's shape: a code, an SQLSTATE and a message.

Clients test the codes (2003 makes Snowpark say "does not exist", 390112 makes the connector log in again), so an
error leaves this package in no other form.
"""

from __future__ import annotations


class SnowflakeError(Exception):
    """What a client sees as a ProgrammingError.

    Args:
        message: text as Snowflake words it.
        code: Snowflake's error number, e.g. 2003.
        sqlstate: five characters, e.g. "42S02".
    """

    def __init__(self, message: str, code: int = 1003, sqlstate: str = "42000") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.sqlstate = sqlstate

    @property
    def wire_code(self) -> str:
        """The code as the protocol sends it: six digits."""
        return f"{self.code:06d}"


def compilation_error(detail: str, code: int = 1003, sqlstate: str = "42000") -> SnowflakeError:
    return SnowflakeError(f"SQL compilation error:\n{detail}", code, sqlstate)


def syntax_error(text: str, position: int, unexpected: str) -> SnowflakeError:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1)
    shown = unexpected or "<EOF>"
    return compilation_error(f"syntax error line {line} at position {column} unexpected '{shown}'.")


DOES_NOT_EXIST = 2003


def does_not_exist(kind: str, name: str) -> SnowflakeError:
    return compilation_error(f"{kind} '{name}' does not exist or not authorized.", DOES_NOT_EXIST, "42S02")


def no_such_object() -> SnowflakeError:
    """What USE answers, whatever it was to use."""
    return compilation_error("Object does not exist, or operation cannot be performed.", 2043, "02000")


def already_exists(name: str) -> SnowflakeError:
    return compilation_error(f"Object '{name}' already exists.", 2002, "42710")


def unknown_function(name: str) -> SnowflakeError:
    return compilation_error(f"Unknown function {name}", 2140, "42601")


def unknown_table_function(name: str) -> SnowflakeError:
    return compilation_error(f"Unknown user-defined table function {name}", 2143, "42601")


def statement_count(actual: int, wanted: int) -> SnowflakeError:
    """https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements"""
    return SnowflakeError(
        f"Actual statement count {actual} did not match the desired statement count {wanted}.", 8, "0A000"
    )


def already_exists_as(name: str, kind: str) -> SnowflakeError:
    """Another kind of object holds the name in the name space that both kinds share."""
    return compilation_error(f"Object '{name}' already exists as {_kind_word(kind)}", 2203, "42710")


def wrong_kind(found: str, wanted: str) -> SnowflakeError:
    found, wanted = _kind_word(found), _kind_word(wanted)
    return SnowflakeError(
        f"SQL compilation error: Object found is of type '{found}', not specified type '{wanted}'.",
        2203,
        "42601",
    )


def _kind_word(kind: str) -> str:
    return kind.replace(" ", "_")


def unsupported(what: str) -> SnowflakeError:
    """Refuse by name what this account does not do. 0A000 is SQL's "feature not supported"."""
    return SnowflakeError(
        f"Unsupported feature '{what}': the embedded account does not do this. "
        "See docs/embedded_account.md for what it does.",
        2,
        "0A000",
    )


def invalid_value(message: str) -> SnowflakeError:
    return compilation_error(message, 1008, "22023")
