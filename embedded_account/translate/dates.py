"""Parts of dates and times, and arithmetic with them: https://docs.snowflake.com/en/sql-reference/functions-date-time"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from embedded_account.errors import compilation_error
from embedded_account.translate.registry import (
    Context,
    Macro,
    call,
    constant_text,
    function,
    number,
    operator,
    text,
)

# https://docs.snowflake.com/en/sql-reference/functions-date-time#supported-date-and-time-parts
_ALIASES = {
    "year": "y yy yyy yyyy yr years yrs",
    "quarter": "q qtr qtrs quarters",
    "month": "mm mon mons months",
    "week": "w wk weekofyear woy wy weeks",
    "weekiso": "week_iso weekofyeariso weekofyear_iso",
    "day": "d dd days dayofmonth",
    "dayofweek": "weekday dow dw",
    "dayofweekiso": "weekday_iso dow_iso dw_iso dayofweek_iso",
    "dayofyear": "yearday doy dy",
    "yearofweek": "",
    "yearofweekiso": "",
    "hour": "h hh hr hours hrs",
    "minute": "m mi min minutes mins",
    "second": "s sec seconds secs",
    "millisecond": "ms msec milliseconds",
    "microsecond": "us usec microseconds",
    "nanosecond": "ns nsec nanosec nsecond nanoseconds nanosecs nseconds",
    "epoch_second": "epoch epoch_seconds",
    "epoch_millisecond": "epoch_milliseconds",
    "epoch_microsecond": "epoch_microseconds",
    "epoch_nanosecond": "epoch_nanoseconds",
    "timezone_hour": "tzh",
    "timezone_minute": "tzm",
}
_PARTS = {alias: part for part, aliases in _ALIASES.items() for alias in [part, *aliases.split()]}

# Each part of a date or time `x`.
_VALUES = {
    "year": "year(x)",
    "quarter": "quarter(x)",
    "month": "month(x)",
    "week": "week(x)",
    "weekiso": "week(x)",
    "day": "day(x)",
    "dayofweek": "dayofweek(x)",
    "dayofweekiso": "isodow(x)",
    "dayofyear": "dayofyear(x)",
    "yearofweek": "isoyear(x)",
    "yearofweekiso": "isoyear(x)",
    "hour": "hour(x)",
    "minute": "minute(x)",
    "second": "second(x)",
    "nanosecond": "(microsecond(x) % 1000000) * 1000",
    "epoch_second": "CAST(floor(epoch(x)) AS BIGINT)",
    "epoch_millisecond": "epoch_ms(x)",
    "epoch_microsecond": "epoch_us(x)",
    "epoch_nanosecond": "epoch_us(x) * 1000",
    "timezone_hour": "date_part('timezone_hour', CAST(x AS TIMESTAMPTZ))",
    "timezone_minute": "date_part('timezone_minute', CAST(x AS TIMESTAMPTZ))",
}
# How `n` of a unit are added, and whether a DATE stays one.
UNITS = {
    "year": ("to_years(CAST(n AS INTEGER))", True),
    "quarter": ("to_months(3 * CAST(n AS INTEGER))", True),
    "month": ("to_months(CAST(n AS INTEGER))", True),
    "week": ("to_days(7 * CAST(n AS INTEGER))", True),
    "day": ("to_days(CAST(n AS INTEGER))", True),
    "hour": ("to_hours(CAST(n AS BIGINT))", False),
    "minute": ("to_minutes(CAST(n AS BIGINT))", False),
    "second": ("to_seconds(CAST(n AS BIGINT))", False),
    "millisecond": ("to_microseconds(1000 * CAST(n AS BIGINT))", False),
    "microsecond": ("to_microseconds(CAST(n AS BIGINT))", False),
    "nanosecond": ("to_microseconds(CAST(n AS BIGINT) // 1000)", False),
}
_LAST_DAYS = {
    "week": "date_trunc('week', x) + to_days(6)",
    "month": "last_day(x)",
    "quarter": "date_trunc('quarter', x) + to_months(3) - to_days(1)",
    "year": "date_trunc('year', x) + to_months(12) - to_days(1)",
}


# Text as a timestamp; no overload may call an overloaded macro, which sees no types in aggregates.
_TEXT = "_text_to_timestamp(trim(x, '\"'))"


def _of_text(expression: str) -> str:
    return re.sub(r"\bx\b", _TEXT, expression)


def _part_macro(part: str, value: str) -> Macro:
    return Macro(f"_part_{part}", f"(x VARCHAR) AS {_of_text(value)}", f"(x) AS {value}")


def _add_macro(unit: str, interval: str, date: bool) -> Macro:
    return Macro(
        f"_add_{unit}",
        f"(x DATE, n) AS CAST(x + {interval} AS DATE)" if date else f"(x DATE, n) AS x + {interval}",
        f"(x VARCHAR, n) AS {_TEXT} + {interval}",
        f"(x, n) AS x + {interval}",
    )


MACROS: tuple[Macro, ...] = (
    # Text as a timestamp, anything else as it is.
    Macro("_time", f"(x VARCHAR) AS {_TEXT}", "(x) AS x"),
    *(_part_macro(part, value) for part, value in _VALUES.items()),
    *(_add_macro(unit, interval, date) for unit, (interval, date) in UNITS.items()),
    *(
        Macro(
            f"_last_day_{unit}",
            f"(x VARCHAR) AS CAST({_of_text(day)} AS DATE)",
            f"(x) AS CAST({day} AS DATE)",
        )
        for unit, day in _LAST_DAYS.items()
    ),
    Macro(
        "_date_trunc",
        "(p, x DATE) AS CAST(date_trunc(p, x) AS DATE)",
        "(p, x TIMESTAMP) AS date_trunc(p, x)",
        "(p, x TIMESTAMPTZ) AS date_trunc(p, x)",
        f"(p, x VARCHAR) AS date_trunc(p, {_TEXT})",
        "(p, x TIME) AS CAST(date_trunc(p, DATE '1970-01-01' + x) AS TIME)",
        "(p, x) AS date_trunc(p, x)",
    ),
    Macro(
        "_time_slice",
        "(x DATE, i, o, e) AS CAST(time_bucket(i, CAST(x AS TIMESTAMP), o) + e AS DATE)",
        f"(x VARCHAR, i, o, e) AS time_bucket(i, {_TEXT}, o) + e",
        "(x, i, o, e) AS time_bucket(i, CAST(x AS TIMESTAMP), o) + e",
    ),
    Macro(
        "_add_months",
        "(x DATE, n) AS CASE WHEN x = last_day(x) THEN last_day(x + to_months(CAST(n AS INTEGER))) "
        "ELSE CAST(x + to_months(CAST(n AS INTEGER)) AS DATE) END",
        "(x VARCHAR, n) AS _add_months(_to_timestamp_ntz(x), n)",
        "(x, n) AS CASE WHEN CAST(x AS DATE) = last_day(x) "
        "THEN last_day(x + to_months(CAST(n AS INTEGER))) + (x - date_trunc('day', x)) "
        "ELSE x + to_months(CAST(n AS INTEGER)) END",
    ),
    # A text beside a date or a time is compared as one.
    Macro(
        "_beside",
        "(x VARCHAR, y DATE) AS _text_to_date(trim(x, '\"'))",
        f"(x VARCHAR, y TIMESTAMP) AS {_TEXT}",
        "(x VARCHAR, y TIMESTAMPTZ) AS _text_to_moment(trim(x, '\"'))",
        "(x VARCHAR, y TIME) AS _text_to_time(trim(x, '\"'))",
        "(x, y) AS x",
    ),
    # The time of three arguments is a face in the source zone; of two, a moment, or a face in the session's zone.
    Macro("_convert_face", "(s, t, x) AS (_to_timestamp_ntz(x) AT TIME ZONE s) AT TIME ZONE t"),
    Macro("_convert_moment", "(t, x) AS _to_timestamp_ltz(x)"),
    Macro("_convert_to_face", "(t, x) AS _to_timestamp_ltz(x) AT TIME ZONE t"),
)


def face(node: Any) -> Any:
    """A time to work on: a clock of the zone, where CONVERT_TIMEZONE makes a moment (which keeps no offset)."""
    if isinstance(node, exp.Anonymous) and node.this == "_convert_moment":
        return call("_convert_to_face", *node.expressions)
    # Every overload of a macro would take a bare NULL.
    return exp.cast(node, "TEXT") if isinstance(node, exp.Null) else node


def part_of(node: Any, what: str, allowed: Any = _PARTS) -> str:
    """The unit that an argument names, by any of its aliases."""
    name = constant_text(node, what).lower()
    part = _PARTS.get(name)
    if part is None or part not in allowed:
        raise compilation_error(
            f"'{name}' is not a valid date/time component for function {what}.", 1006, "22023"
        )
    return part


@operator(exp.Extract)
def extract(_: Context, node: Any) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/date_part"""
    return call(f"_part_{part_of(node.this, 'DATE_PART', _VALUES)}", face(node.expression))


def _register_parts() -> None:
    """https://docs.snowflake.com/en/sql-reference/functions/year and its like"""
    names = {
        "year", "quarter", "month", "week", "weekiso", "day", "dayofweek", "dayofyear", "yearofweek",
        "yearofweekiso", "hour", "minute", "second",
    }  # fmt: skip
    for name in names:
        function(name.upper(), kind="number")(
            lambda _, arguments, name=name: call(f"_part_{name}", face(arguments[0]))  # type: ignore[misc]
        )
    for name, part in (("DAYOFMONTH", "day"), ("WEEKOFYEAR", "week"), ("DAYOFWEEKISO", "dayofweekiso"),
                       ("DAYOFWEEK_ISO", "dayofweekiso"), ("WEEK_ISO", "weekiso")):  # fmt: skip
        function(name, kind="number")(
            lambda _, arguments, part=part: call(f"_part_{part}", face(arguments[0]))  # type: ignore[misc]
        )


_register_parts()


@function("DATE_TRUNC", least=2, kind="time")
def date_trunc(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/date_trunc; the arguments also stand in the other order."""
    first, second = arguments
    if isinstance(second, exp.Literal) and not _names_part(first):
        first, second = second, first
    return _truncated(part_of(first, "DATE_TRUNC", UNITS), second)


def _names_part(node: Any) -> bool:
    if isinstance(node, exp.Literal):
        return node.is_string and str(node.this).lower() in _PARTS
    return isinstance(node, exp.Column | exp.Var) and node.name.lower() in _PARTS


def _truncated(unit: str, value: Any) -> Any:
    return call("_date_trunc", text("microsecond" if unit == "nanosecond" else unit), face(value))


@operator(exp.DateTrunc, exp.TimestampTrunc)
def trunc_to_unit(_: Context, node: Any) -> Any:
    """TRUNC of a date: https://docs.snowflake.com/en/sql-reference/functions/trunc2"""
    return _truncated(part_of(node.args["unit"], "TRUNC", UNITS), node.this)


def _add(arguments: list[Any], what: str) -> Any:
    return call(f"_add_{part_of(arguments[0], what, UNITS)}", arguments[2], arguments[1])


@function("DATEADD", "TIMEADD", "TIMESTAMPADD", least=3, kind="time")
def dateadd(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/dateadd"""
    return _add(arguments, "DATEADD")


@function("DATEDIFF", "TIMEDIFF", "TIMESTAMPDIFF", least=3, kind="number")
def datediff(context: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/datediff"""
    unit = part_of(arguments[0], "DATEDIFF", UNITS)
    counted = "microsecond" if unit == "nanosecond" else unit
    first, last = arguments[1:]
    ends = [call("_time", _beside(context, a, b)) for a, b in ((first, last), (last, first))]
    if unit == "week":  # DuckDB counts whole weeks, Snowflake the Mondays between
        ends = [call("date_trunc", text("week"), end) for end in ends]
    counting = call("date_diff", text(counted), *ends)
    return exp.Paren(this=exp.Mul(this=counting, expression=number(1000))) if unit != counted else counting


def _beside(context: Context, value: Any, other: Any) -> Any:
    if context.kinds.is_(value, "text") and context.kinds.is_(other, "time"):
        return call("_beside", value.copy(), other.copy())
    return value


@function("LAST_DAY", most=2, kind="time")
def last_day(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/last_day"""
    unit = part_of(arguments[1], "LAST_DAY", _LAST_DAYS) if len(arguments) == 2 else "month"
    return call(f"_last_day_{unit}", face(arguments[0]))


@function("TIME_SLICE", least=3, most=4, kind="time")
def time_slice(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/time_slice; weeks begin on Mondays, the rest in 1970."""
    value, length, unit_node, *edge = arguments
    unit = part_of(unit_node, "TIME_SLICE", UNITS)
    interval = call(
        {"quarter": "to_months", "week": "to_days"}.get(unit, f"to_{unit}s"), _times(unit, length)
    )
    origin = exp.cast(text("1969-12-29" if unit == "week" else "1970-01-01"), "TIMESTAMP")
    at_end = bool(edge) and constant_text(edge[0], "TIME_SLICE").upper() == "END"
    added = interval.copy() if at_end else call("to_days", number(0))
    return call("_time_slice", value, interval, origin, added)


def _times(unit: str, length: Any) -> Any:
    factor = {"quarter": 3, "week": 7}.get(unit)
    return exp.cast(exp.Mul(this=length, expression=number(factor)) if factor else length, "INT")


@function("DAYNAME", kind="text")
def dayname(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/dayname"""
    return call("strftime", call("_time", face(arguments[0])), text("%a"))


@function("MONTHNAME", kind="text")
def monthname(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/monthname"""
    return call("strftime", call("_time", face(arguments[0])), text("%b"))


@operator(exp.NextDay, exp.PreviousDay, exp.MonthsBetween)
def between_days(_: Context, node: Any) -> Any:
    for key in ("this",) if not isinstance(node, exp.MonthsBetween) else ("this", "expression"):
        node.set(key, call("_time", node.args[key]))
    return node


@function("ADD_MONTHS", least=2, kind="time")
def add_months(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/add_months"""
    return call("_add_months", *arguments)


@function("CONVERT_TIMEZONE", least=2, most=3, kind="time")
def convert_timezone(_: Context, arguments: list[Any]) -> Any:
    """https://docs.snowflake.com/en/sql-reference/functions/convert_timezone"""
    return call("_convert_face" if len(arguments) == 3 else "_convert_moment", *arguments)
