"""The session parameters: their defaults, the values that Snowflake takes, and what each does here.

https://docs.snowflake.com/en/sql-reference/parameters. The table in docs/embedded_account.md is this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import duckdb

from embedded_account.errors import SnowflakeError, compilation_error, invalid_value, unsupported
from embedded_account.names import literal

if TYPE_CHECKING:
    from embedded_account.session import Session


class Effect(StrEnum):
    """What a parameter does here; the value is what SHOW PARAMETERS says of it."""

    OBEYED = "Obeyed."
    FIXED = "Other values than those listed are refused."
    CLIENT = "For clients alone."
    IGNORED = "Ignored by the embedded account: it changes nothing here."


@dataclass(frozen=True)
class Parameter:
    """`least` and `most` bound a number, `words` are all the texts there are, `here` those that this account takes."""

    default: bool | int | str
    effect: Effect
    least: int = 0
    most: int = 2**63 - 1
    words: tuple[str, ...] = ()
    here: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        return {bool: "BOOLEAN", int: "NUMBER", str: "STRING"}[type(self.default)]


def _fixed(
    default: bool | int | str, *here: str, words: tuple[str, ...] = (), most: int = 2**63 - 1
) -> Parameter:
    return Parameter(default, Effect.FIXED, most=most, words=words, here=here or (str(default).upper(),))


_OBEYED, _CLIENT, _IGNORED = Effect.OBEYED, Effect.CLIENT, Effect.IGNORED
_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
_GEO = ("GEOJSON", "WKT", "WKB", "EWKT", "EWKB")
_MAPPINGS = ("TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ")
_RESULT_FORMATS = ("JSON", "ARROW", "ARROW_FORCE")
# Seconds; what STATEMENT_TIMEOUT_IN_SECONDS = 0 stands for.
LONGEST_STATEMENT = 604_800

PARAMETERS: dict[str, Parameter] = {
    "ABORT_DETACHED_QUERY": Parameter(False, _IGNORED),
    "ACTIVE_PYTHON_PROFILER": Parameter("", _IGNORED, words=("", "LINE", "MEMORY")),
    "AUTOCOMMIT": Parameter(True, _OBEYED),
    "AUTOCOMMIT_API_SUPPORTED": Parameter(True, _CLIENT),
    "BINARY_INPUT_FORMAT": _fixed("HEX", words=("HEX", "BASE64", "UTF8", "UTF-8")),
    "BINARY_OUTPUT_FORMAT": _fixed("HEX", words=("HEX", "BASE64")),
    "CLIENT_ENABLE_LOG_INFO_STATEMENT_PARAMETERS": Parameter(False, _CLIENT),
    "CLIENT_MEMORY_LIMIT": Parameter(1536, _CLIENT),
    "CLIENT_METADATA_REQUEST_USE_CONNECTION_CTX": Parameter(False, _CLIENT),
    "CLIENT_METADATA_USE_SESSION_DATABASE": Parameter(False, _CLIENT),
    "CLIENT_PREFETCH_THREADS": Parameter(4, _CLIENT, 1, 10),
    "CLIENT_RESULT_CHUNK_SIZE": Parameter(160, _CLIENT, 16, 160),
    "CLIENT_RESULT_COLUMN_CASE_INSENSITIVE": Parameter(False, _CLIENT),
    "CLIENT_SESSION_KEEP_ALIVE": Parameter(False, _CLIENT),
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": Parameter(3600, _CLIENT, 900, 3600),
    "CLIENT_TELEMETRY_ENABLED": Parameter(False, _CLIENT),
    "CLIENT_TIMESTAMP_TYPE_MAPPING": Parameter("TIMESTAMP_LTZ", _CLIENT, words=_MAPPINGS),
    "CSV_TIMESTAMP_FORMAT": _fixed("", ""),
    "DATE_INPUT_FORMAT": _fixed("AUTO", "AUTO", "YYYY-MM-DD"),
    "DATE_OUTPUT_FORMAT": _fixed("YYYY-MM-DD"),
    "DEFAULT_DDL_COLLATION": _fixed("", ""),
    "DEFAULT_NULL_ORDERING": _fixed("LAST", words=("LAST", "FIRST")),
    "ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION": Parameter(True, _IGNORED),
    "ERROR_ON_NONDETERMINISTIC_MERGE": _fixed(True),
    "ERROR_ON_NONDETERMINISTIC_UPDATE": _fixed(False),
    "GEOGRAPHY_OUTPUT_FORMAT": Parameter("GeoJSON", _IGNORED, words=_GEO),
    "GEOMETRY_OUTPUT_FORMAT": Parameter("GeoJSON", _IGNORED, words=_GEO),
    "HYBRID_TABLE_LOCK_TIMEOUT": Parameter(3600, _IGNORED),
    "JSON_INDENT": Parameter(2, _IGNORED, 0, 16),
    "LANGUAGE": Parameter("en", _IGNORED, words=("JA", "EN", "FR-FR")),
    "LOCK_TIMEOUT": Parameter(43200, _OBEYED),
    "LOG_EVENT_LEVEL": Parameter("OFF", _IGNORED, words=_LEVELS),
    "LOG_LEVEL": Parameter("OFF", _IGNORED, words=_LEVELS),
    "METRIC_LEVEL": Parameter("NONE", _IGNORED, words=("ALL", "NONE")),
    "MULTI_STATEMENT_COUNT": Parameter(1, _OBEYED),
    "NOORDER_SEQUENCE_AS_DEFAULT": Parameter(True, _IGNORED),
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": Parameter("ARROW", _CLIENT, words=_RESULT_FORMATS),
    "PYTHON_PROFILER_MODULES": Parameter("", _IGNORED),
    "PYTHON_PROFILER_TARGET_STAGE": Parameter("", _IGNORED),
    "PYTHON_SNOWPARK_ENABLE_THREAD_SAFE_SESSION": Parameter(True, _CLIENT),
    "QUERY_TAG": Parameter("", _OBEYED),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": Parameter(False, _OBEYED),
    "ROWS_PER_RESULTSET": Parameter(0, _OBEYED),
    "S3_STAGE_VPCE_DNS_NAME": Parameter("", _IGNORED),
    "SEARCH_PATH": _fixed("$current, $public"),
    "SIMULATED_DATA_SHARING_CONSUMER": _fixed("", ""),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": Parameter(0, _IGNORED),
    "STATEMENT_TIMEOUT_IN_SECONDS": Parameter(172_800, _OBEYED, 0, LONGEST_STATEMENT),
    "STRICT_JSON_OUTPUT": Parameter(False, _IGNORED),
    "TIMESTAMP_DAY_IS_ALWAYS_24H": _fixed(False),
    "TIMESTAMP_INPUT_FORMAT": _fixed("AUTO"),
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": _fixed("", ""),
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": _fixed("YYYY-MM-DD HH24:MI:SS.FF3"),
    "TIMESTAMP_OUTPUT_FORMAT": _fixed("YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"),
    "TIMESTAMP_TYPE_MAPPING": _fixed("TIMESTAMP_NTZ", words=_MAPPINGS),
    "TIMESTAMP_TZ_OUTPUT_FORMAT": _fixed("", ""),
    "TIMEZONE": Parameter("UTC", _OBEYED),
    "TIME_INPUT_FORMAT": _fixed("AUTO"),
    "TIME_OUTPUT_FORMAT": _fixed("HH24:MI:SS"),
    "TRACE_LEVEL": Parameter("OFF", _IGNORED, words=("ALWAYS", "ON_EVENT", "PROPAGATE", "OFF")),
    "TRANSACTION_ABORT_ON_ERROR": _fixed(False),
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL": _fixed("READ COMMITTED"),
    "TWO_DIGIT_CENTURY_START": Parameter(1970, Effect.FIXED, 1900, 2100, here=("1970",)),
    "UNSUPPORTED_DDL_ACTION": _fixed("ignore", words=("IGNORE", "FAIL")),
    "USE_CACHED_RESULT": Parameter(True, _IGNORED),
    "WEEK_OF_YEAR_POLICY": _fixed(0, most=1),
    "WEEK_START": _fixed(0, most=7),
}


def checked(name: str, value: object) -> bool | int | str:
    """The value as it is kept. What Snowflake documents nowhere is kept as it comes.

    Raises:
        SnowflakeError: 001008 for a value that the parameter does not take, 0A000 for one that is not done here.
    """
    known = PARAMETERS.get(name)
    if known is None:
        return value if isinstance(value, bool | int) else str(value)
    kept = _typed(name, known, value)
    if known.words and str(kept).upper() not in known.words:
        raise _wrong(name, value)
    if known.here and str(kept).upper() not in known.here:
        raise unsupported(f"{name} = {value}")
    if name == "TIMEZONE" and kept not in _zones():
        raise _wrong(name, value)
    return kept


@cache
def _zones() -> frozenset[str]:
    """Those of the time zone database that DuckDB has too."""
    with duckdb.connect(":memory:") as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM pg_timezone_names()").fetchall()}
    return frozenset((available_timezones() & known) - {"Factory"})  # a place holder, which is no zone


def _typed(name: str, known: Parameter, value: object) -> bool | int | str:
    text = str(value)
    if known.type == "BOOLEAN":
        # The connector sends what Python has: true, and 1.
        if text.lower() not in ("true", "false", "1", "0"):
            raise _wrong(name, value)
        return text.lower() in ("true", "1")
    if known.type == "STRING":
        return text
    try:
        number = int(text)
    except ValueError:
        raise _wrong(name, value) from None
    if known.least <= number <= known.most:
        return number
    if name == "STATEMENT_TIMEOUT_IN_SECONDS":
        raise compilation_error(
            f"parameter value out of range: {number:,}. Must be between 0 and {LONGEST_STATEMENT:,}.",
            1008,
            "22023",
        )
    raise _wrong(name, f"{number:,}")


def _wrong(name: str, value: object) -> SnowflakeError:
    return invalid_value(f"invalid value [{value}] for parameter '{name}'")


def parameter(session: Session, name: str) -> bool | int | str:
    """The value in force; of a parameter that Snowflake documents nowhere, what it was set to, or ''."""
    found: bool | int | str = session.parameters.get(
        name, PARAMETERS[name].default if name in PARAMETERS else ""
    )
    return found


def replace(session: Session, values: Mapping[str, bool | int | str]) -> None:
    """Put these in the place of all that the session has set."""
    changed = {
        name for name in {*session.parameters, *values} if session.parameters.get(name) != values.get(name)
    }
    session.parameters = dict(values)
    if "AUTOCOMMIT" in changed:
        session.autocommit = bool(parameter(session, "AUTOCOMMIT"))
    if "TIMEZONE" in changed:
        # DuckDB reads, shows and truncates a TIMESTAMP_LTZ in this zone, as Snowflake does in the session's.
        session.duck.execute(f"SET SESSION TimeZone = {literal(str(parameter(session, 'TIMEZONE')))}")


def set_parameters(session: Session, values: Mapping[str, object]) -> None:
    """All of these or, when one is refused, none."""
    named = {name.upper(): value for name, value in values.items()}
    replace(session, session.parameters | {name: checked(name, value) for name, value in named.items()})


def show(session: Session, name: str) -> tuple[str, str, str, str, str, str]:
    """The row of SHOW PARAMETERS: key, value, default, level, description, type."""
    known = PARAMETERS.get(name)
    effect = known.effect if known is not None else Effect.IGNORED
    value = parameter(session, name)
    default = known.default if known is not None else ""
    level = "SESSION" if name in session.parameters else ""
    kind = known.type if known is not None else Parameter(value, effect).type
    return name, _shown(value), _shown(default), level, str(effect), kind


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
