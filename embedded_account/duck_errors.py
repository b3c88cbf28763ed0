"""DuckDB's errors in Snowflake's words: the one place where they are translated.

Neither DuckDB's terms nor its advice nor a path of the host leaves here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import duckdb

from embedded_account.duck_types import column_of, sql_type
from embedded_account.errors import (
    DOES_NOT_EXIST,
    SnowflakeError,
    compilation_error,
    unknown_function,
    unsupported,
)
from embedded_account.names import without_marks
from embedded_account.translate.formats import failure
from embedded_account.translate.vocabulary import is_function

if TYPE_CHECKING:
    from embedded_account.session import Session

_MISSING = re.compile(
    r"(Table|View|Schema|Catalog|Macro|Table Function|\w+ Function|Type|Function) with name \"?([^\s\"!]+)\"? "
    r"(?:does not exist|is not in the catalog)",
    re.IGNORECASE,
)


def is_conflict(error: Exception) -> bool:
    """Whether another transaction wrote the same, so that trying again may succeed."""
    text = str(error)
    # Only the account's own tables have keys that DuckDB enforces.
    if isinstance(error, duckdb.ConstraintException):
        return "violates primary key" in text
    met = "onflict" in text or "Failed to commit: PRIMARY KEY" in text
    return isinstance(error, duckdb.TransactionException) and met


def is_missing(error: Exception) -> bool:
    """Whether something was not found."""
    if isinstance(error, SnowflakeError):
        return error.code == DOES_NOT_EXIST
    return isinstance(error, duckdb.CatalogException | duckdb.BinderException)


def translated(error: duckdb.Error, session: Session | None = None) -> SnowflakeError:
    raised = failure.read(str(error)) or _arithmetic(str(error))
    if raised is not None:
        return raised
    text = without_marks(str(error).split("\n\nLINE")[0].strip())
    first = text.split("\n")[0]
    if isinstance(error, duckdb.CatalogException) and (found := _MISSING.search(first)):
        return _missing(error, found.group(1).lower(), found.group(2), session)
    for pattern, build in _KNOWN:
        if found := pattern.search(text):
            return build(found)
    if "CSV Error" in first:  # which line, what stands there, what is wrong with it
        first = " ".join(text.split("\n")[:3])
    plain = _plain(first)
    for kind, code, sqlstate in _BY_CLASS:
        if isinstance(error, kind):
            return SnowflakeError(plain, code, sqlstate)
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return compilation_error(plain, 2043, "42000")
    if isinstance(error, duckdb.ParserException | duckdb.SyntaxException):
        return compilation_error(plain, 1003, "42000")
    if isinstance(error, duckdb.ConstraintException):
        return SnowflakeError(f"DML operation failed: {plain}", 100072, "22000")
    if isinstance(error, duckdb.InterruptException):
        return SnowflakeError("SQL execution canceled", 604, "57014")
    if isinstance(error, duckdb.PermissionException):
        return SnowflakeError(
            "SQL access control error:\nInsufficient privileges to operate on a file.", 3001, "42501"
        )
    return SnowflakeError(f"SQL execution error: {plain}", 100132, "P0000")


# Classes whose message tells enough: class, number, SQLSTATE.
_BY_CLASS: tuple[tuple[type[duckdb.Error], int, str], ...] = (
    (duckdb.ConversionException, 100038, "22018"),
    (duckdb.OutOfRangeException, 100046, "22003"),
    (duckdb.TransactionException, 625, "57014"),
)


def _missing(error: duckdb.Error, kind: str, name: str, session: Session | None) -> SnowflakeError:
    if "function" in kind or kind == "macro":
        # What Snowflake does not have was refused before: this is Snowflake's, and has no answer here.
        shown = name.upper()
        return unsupported(f"function {shown}") if is_function(shown) else unknown_function(shown)
    if kind == "type":
        return compilation_error(f"Unsupported data type '{name}'.", 2040, "0A000")
    shown = "Schema" if kind == "schema" else "Object"
    return compilation_error(
        f"{shown} '{_full(error, name, session)}' does not exist or not authorized.", 2003, "42S02"
    )


# DuckDB's words for an argument outside a function's domain, and Snowflake's for the function.
_DOMAINS = (
    ("square root of a negative", "sqrt"),
    ("take logarithm of", "ln"),
    ("in based logarithm", "log"),
    ("ACOS is undefined", "acos"),
    ("ASIN is undefined", "asin"),
    ("ATANH is undefined", "atanh"),
    ("zero raised to a negative power", "pow"),
    ("out of range for numeric function cotangent", "cot"),
)


def _arithmetic(text: str) -> SnowflakeError | None:
    if "Division by zero in expression" in text:
        return SnowflakeError("Division by zero", 100051, "22012")
    for words, function in _DOMAINS:
        if words in text:
            return SnowflakeError(f"Invalid floating point operation: {function}", 100047, "22023")
    return None


def _full(error: duckdb.Error, name: str, session: Session | None) -> str:
    """The object's whole name, which DuckDB leaves out, read from the statement it quotes."""
    quoted = re.search(r'"([^"]+)"\."([^"]+)"\."' + re.escape(name) + '"', without_marks(str(error)))
    if quoted:
        return f"{quoted.group(1)}.{quoted.group(2)}.{name}"
    return name


# ----- messages that Snowflake words in its own way

_Builder = Callable[[re.Match[str]], SnowflakeError]
_NUMERIC = re.compile(r"U?(?:INT\d|HUGEINT|BIGINT|SMALLINT|TINYINT)|INTEGER|DECIMAL|DOUBLE|FLOAT")


def _arguments(found: re.Match[str]) -> SnowflakeError:
    kinds = ", ".join(_snowflake_type(kind) for kind in _split(found.group(2)))
    return compilation_error(
        f"Invalid argument types for function '{found.group(1).upper()}': ({kinds})", 1044, "42P13"
    )


def _split(listed: str) -> list[str]:
    """Types between commas outside parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", listed) if part.strip()]


def _snowflake_type(duck_type: str) -> str:
    kind = duck_type.removesuffix("_LITERAL")
    return sql_type(column_of("", "BIGINT" if kind == "INTEGER" else kind))


def _identifier(found: re.Match[str]) -> SnowflakeError:
    return compilation_error(f"invalid identifier '{next(filter(None, found.groups()))}'", 904, "42000")


def _unrecognized(found: re.Match[str]) -> SnowflakeError:
    value, kind = found.group(1), found.group(2).upper()
    if _NUMERIC.match(kind):
        return SnowflakeError(f"Numeric value '{value}' is not recognized", 100038, "22018")
    if kind == "BOOL":
        return SnowflakeError(f"Boolean value '{value}' is not recognized", 100037, "22018")
    return SnowflakeError(f"Failed to cast '{value}' to {_snowflake_type(kind)}", 100038, "22018")


def _moment(found: re.Match[str]) -> SnowflakeError:
    kind = found.group(1).capitalize()
    code = {"Date": 100040, "Time": 100108}.get(kind, 100035)
    return SnowflakeError(f"{kind} '{found.group(2)}' is not recognized", code, "22007")


_KNOWN: tuple[tuple[re.Pattern[str], _Builder], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), build)
    for pattern, build in (
        (
            r'(?:Table|View|Schema|Entry|Index) with name "?([^"\s]+)"? already exists',
            lambda found: compilation_error(f"Object '{found.group(1)}' already exists.", 2002, "42710"),
        ),
        (r"No function matches the given name and argument types '(\S+?)\((.*?)\)'\.", _arguments),
        (r'Could not choose a best candidate function for the function call "(\S+?)\((.*?)\)"\.', _arguments),
        (
            r"Cannot compare values of type ([^\n]*?) and (?:values of )?type ([^\n]*?) -",
            lambda found: compilation_error(
                "Invalid argument types for function '=': "
                f"({_snowflake_type(found.group(1))}, {_snowflake_type(found.group(2))})",
                1044,
                "42P13",
            ),
        ),
        (
            r'Ambiguous reference to (?:column|table)(?: name)? "([^"]+)"',
            lambda found: compilation_error(f"ambiguous column name '{found.group(1)}'", 2028, "42601"),
        ),
        (
            r'column "?([^"\s]+)"? must appear in the GROUP BY clause',
            lambda found: compilation_error(
                f"'{found.group(1)}' in select clause is neither an aggregate nor in the group by clause.",
                979,
                "42601",
            ),
        ),
        (
            r'Table "([^"]+)" does not have a column named "([^"]+)"',
            lambda found: compilation_error(
                f"invalid identifier '{found.group(1)}.{found.group(2)}'", 904, "42000"
            ),
        ),
        (r"Cannot extract field '(\w+)' from", _identifier),
        (
            r'(?:Referenced column|column|Column with name:?|Referenced table|Table)\s+(?:"([^\n]+?)"|([\w$ ]+?))\s+'
            r"(?:in \w+ list )?(?:was )?(?:not found|does not)",
            _identifier,
        ),
        (
            r"(?:has|target) (\d+) columns? but (\d+) values? w",
            lambda found: compilation_error(
                f"Insert value list does not match column list expecting {found.group(1)} but got {found.group(2)}",
                2020,
                "21S01",
            ),
        ),
        (
            r"Values were not provided for the following parameters: (\w+)",
            lambda found: compilation_error(f"Bind variable {found.group(1)} not set.", 2049, "42601"),
        ),
        (r"(date|time|timestamp) field (?:value )?(?:format|out of range)[^\"]*\"([^\"]*)\"", _moment),
        (r"Could not convert string ['\"](.*?)['\"] to (\w+(?:\([\d, ]+\))?)", _unrecognized),
        (
            r"Unimplemented type for cast \((\S+) -> (\S+)\)",
            lambda found: compilation_error(
                f"Invalid argument types for function 'CAST': ({_snowflake_type(found.group(1))}) to "
                f"{_snowflake_type(found.group(2))}",
                1044,
                "42P13",
            ),
        ),
    )
)

# ----- what is left

_PREFIX = re.compile(r"^[A-Z][\w ]*(?:Error|Exception): ")
_ADVICE = re.compile(
    r"\s*(?:Did you mean|Candidate|You might need|You can|Try |Use |Either |Consider |Possible |Hint|For more)[^\n]*"
)
_PATH = re.compile(r"""["']?/(?:[\w.@%+~=-]+/)+[\w.@%+~=-]*["']?""")


def _plain(text: str) -> str:
    """A message without DuckDB's name for the error, its advice, and paths of the host."""
    plain = _PATH.sub("(file)", _ADVICE.sub("", _PREFIX.sub("", text))).replace("DuckDB", "the account")
    return plain.strip() or "The statement cannot be executed."
