"""Dates and times to text and back by a format: https://docs.snowflake.com/en/sql-reference/date-time-input-output"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from embedded_account.translate.formats.failure import FunctionError

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ELEMENT = re.compile(
    r'"(?P<quoted>(?:[^"]|"")*)"|(?P<name>YYYY|UUUU|YY|MMMM|MON|MM|MI|DD|DY|HH24|HH12|HH|AM|PM|SS|FF[0-9]?'
    r"|TZHTZM|TZH:TZM|TZISO|TZH|TZM|TZD)",
    re.IGNORECASE,
)
_PATTERNS = {
    "YYYY": r"(?P<year>\d{4})",
    "UUUU": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MM": r"(?P<month>\d{1,2})",
    "MON": r"(?P<month_name>[A-Za-z]{3})",
    "MMMM": r"(?P<month_name>[A-Za-z]{3,9})",
    "DD": r"(?P<day>\d{1,2})",
    "DY": r"(?P<weekday>[A-Za-z]{3})",
    "HH24": r"(?P<hour>\d{1,2})",
    "HH12": r"(?P<hour12>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "AM": r"(?P<half>[AaPp][Mm])",
    "PM": r"(?P<half>[AaPp][Mm])",
    "MI": r"(?P<minute>\d{1,2})",
    "SS": r"(?P<second>\d{1,2})",
    "TZHTZM": r"(?:(?P<zone_hour>[+-]\d{2})(?P<zone_minute>\d{2})|(?P<zulu>Z))",
    "TZH:TZM": r"(?:(?P<zone_hour>[+-]\d{2}):(?P<zone_minute>\d{2})|(?P<zulu>Z))",
    "TZISO": r"(?:(?P<zone_hour>[+-]\d{2}):?(?P<zone_minute>\d{2})|(?P<zulu>Z))",
    "TZH": r"(?P<zone_hour>[+-]\d{2})",
    "TZM": r"(?P<zone_minute>\d{2})",
}
# What AUTO recognises besides ISO, which DuckDB reads itself.
_AUTO = (
    "YYYY-MM-DD",
    "DD-MON-YYYY",
    "MM/DD/YYYY",
    "MM/DD/YYYY HH24:MI:SS",
    'YYYY-MM-DD"T"HH24',
    "YYYY-MM-DD HH24",
    "YYYY-MM-DD HH24:MI",
    "YYYY-MM-DD HH24:MI TZH:TZM",
    "DY, DD MON YYYY HH24:MI:SS TZHTZM",
    "DY, DD MON YYYY HH24:MI:SS.FF TZHTZM",
    "DY, DD MON YYYY HH12:MI:SS AM TZHTZM",
    "DY, DD MON YYYY HH24:MI:SS",
    "DY MON DD HH24:MI:SS TZHTZM YYYY",
)
_AUTO_TIMES = ("HH24:MI", "HH24:MI:SS", "HH24:MI:SS.FF")


@lru_cache(maxsize=512)
def _parts(text: str) -> tuple[tuple[str, str], ...]:
    """(element or "", literal) pairs of a format."""
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _ELEMENT.match(text, at)
        if found is None:
            out.append(("", text[at]))
            at += 1
            continue
        if found["name"]:
            out.append((found["name"].upper(), found["name"]))
        else:
            out.append(("", found["quoted"].replace('""', '"')))
        at = found.end()
    return tuple(out)


def format_time(value: datetime, text: str, offset: str = "+0000") -> str:
    """`offset` is the zone's, e.g. "+0000"."""
    return "".join(_printed(value, name, literal, offset) for name, literal in _parts(text))


def _printed(value: datetime, name: str, literal: str, offset: str) -> str:
    match name:
        case "YYYY" | "UUUU":
            return f"{value.year:04d}"
        case "YY":
            return f"{value.year % 100:02d}"
        case "MM":
            return f"{value.month:02d}"
        case "MON":
            return _cased(_MONTHS[value.month - 1][:3], literal)
        case "MMMM":
            return _cased(_MONTHS[value.month - 1], literal)
        case "DD":
            return f"{value.day:02d}"
        case "DY":
            return _cased(_DAYS[value.weekday()], literal)
        case "HH24" | "HH":
            return f"{value.hour:02d}"
        case "HH12":
            return f"{(value.hour + 11) % 12 + 1:02d}"
        case "AM" | "PM":
            half = "AM" if value.hour < 12 else "PM"
            return half.lower() if literal.islower() else half
        case "MI":
            return f"{value.minute:02d}"
        case "SS":
            return f"{value.second:02d}"
        case "TZHTZM":
            return offset
        case "TZH:TZM" | "TZISO":
            return f"{offset[:3]}:{offset[3:]}"
        case "TZH":
            return offset[:3]
        case "TZM":
            return offset[3:]
    if name.startswith("FF"):
        digits = f"{value.microsecond:06d}000"
        return digits[: int(name[2:] or 9)]
    return literal


def _cased(word: str, literal: str) -> str:
    return word.lower() if literal.islower() else word


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    out, seen = [], set()
    for name, literal in _parts(text):
        if not name:
            out.append(r"\s+" if literal == " " else re.escape(literal))
            continue
        digits = name[2:] if name.startswith("FF") else ""
        part = rf"(?P<fraction>\d{{0,{digits or 9}}})" if name.startswith("FF") else _PATTERNS[name]
        if name in seen:
            part = re.sub(r"\(\?P<\w+>", "(?:", part)
        seen.add(name)
        out.append(part)
    return re.compile(r"\s*" + "".join(out) + r"\s*")


@dataclass(frozen=True)
class Parsed:
    """The clock's face, and the zone it is in, if the text says one."""

    face: datetime
    offset: timedelta | None


def parse_time(text: str, format_: str) -> Parsed | None:
    found = _pattern(format_).fullmatch(text)
    if found is None:
        return None
    groups = found.groupdict()
    try:
        face = datetime(
            _year(groups),
            _month(groups),
            int(groups.get("day") or 1),
            _hour(groups),
            int(groups.get("minute") or 0),
            int(groups.get("second") or 0),
            int(((groups.get("fraction") or "") + "000000")[:6]),
            tzinfo=UTC,
        ).replace(tzinfo=None)
    except (ValueError, KeyError):
        return None
    return Parsed(face, _offset(groups))


def _year(groups: dict[str, str | None]) -> int:
    if groups.get("year"):
        return int(groups["year"] or 0)
    if groups.get("short_year"):  # TWO_DIGIT_CENTURY_START is 1970
        short = int(groups["short_year"] or 0)
        return 1900 + short if short >= 70 else 2000 + short
    return 1970


def _month(groups: dict[str, str | None]) -> int:
    name = groups.get("month_name")
    if name is None:
        return int(groups.get("month") or 1)
    for number, full in enumerate(_MONTHS, 1):
        if name.lower() in (full.lower(), full[:3].lower()):
            return number
    raise KeyError(name)


def _hour(groups: dict[str, str | None]) -> int:
    if groups.get("hour12"):
        hour = int(groups["hour12"] or 0)
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        return hour % 12 + (12 if (groups.get("half") or "").upper() == "PM" else 0)
    return int(groups.get("hour") or 0)


def _offset(groups: dict[str, str | None]) -> timedelta | None:
    if groups.get("zulu"):
        return timedelta(0)
    if not groups.get("zone_hour"):
        return None
    hours = str(groups["zone_hour"])
    offset = timedelta(hours=int(hours[1:]), minutes=int(groups.get("zone_minute") or 0))
    return -offset if hours[0] == "-" else offset


_NAMES = {"date": "date", "time": "time", "ntz": "timestamp", "ltz": "timestamp"}
_UNRECOGNISED = {
    "date": ("Date", 100040),
    "time": ("Time", 100108),
    "ntz": ("Timestamp", 100035),
    "ltz": ("Timestamp", 100035),
}


def to_char(value: datetime | None, text: str | None, offset: str | None) -> str | None:
    """TO_CHAR of a date, time or timestamp."""
    if value is None or text is None:
        return None
    return format_time(value, text, offset or "+0000")


def to_time(text: str | None, format_: str | None, kind: str | None, safe: bool | None) -> datetime | None:
    """TO_DATE, TO_TIME and TO_TIMESTAMP_NTZ of a text; `kind` is date, time or ntz; "" is the AUTO format."""
    if text is None or format_ is None or kind is None:
        return None
    found = _recognised(text, format_, kind, bool(safe))
    return None if found is None else found.face


def to_moment(text: str | None, format_: str | None, safe: bool | None) -> str | None:
    """TO_TIMESTAMP_LTZ of a text, as ISO text: without a zone the session's is meant."""
    if text is None or format_ is None:
        return None
    found = _recognised(text, format_, "ltz", bool(safe))
    if found is None:
        return None
    zone = None if found.offset is None else timezone(found.offset)
    return found.face.replace(tzinfo=zone).isoformat(" ")


def _recognised(text: str, format_: str, kind: str, safe: bool) -> Parsed | None:
    auto = format_.upper() in ("", "AUTO")
    formats = (_AUTO_TIMES if kind == "time" else _AUTO) if auto else (format_,)
    for one in formats:
        found = parse_time(text, one)
        if found is not None:
            return found
    if safe:
        return None
    if auto:
        name, code = _UNRECOGNISED[kind]
        raise FunctionError(f"{name} '{text}' is not recognized", code, "22007")
    raise FunctionError(f"Can't parse '{text}' as {_NAMES[kind]} with format '{format_}'", 100096, "22007")
