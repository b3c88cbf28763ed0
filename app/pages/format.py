"""How numbers, times and long names are written, so that one kind of value looks the same on every page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from app.addresses import path
from app.charts.words import capital, many, words
from services.snowflake.failures import cause

NOTHING = Markup('<span class="text-secondary">–</span>')


def number(value: float | int | None, digits: int = 0) -> str | Markup:
    """A number with thin spaces between thousands; a dash for None."""
    if value is None:
        return NOTHING
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "\u2212")


def percent(value: float | None, digits: int = 0) -> str | Markup:
    """A fraction as per cent, the unit after a thin space."""
    if value is None:
        return NOTHING
    return f"{value * 100:.{digits}f}".replace("-", "\u2212") + "\u202f%"


def points(value: float | None, digits: int = 1, sign: bool = False) -> str | Markup:
    """A difference of two fractions in percentage points."""
    if value is None:
        return NOTHING
    shown = round(value * 100, digits) or 0.0  # no negative zero
    mark = "+" if sign and shown > 0 else ""
    return f"{mark}{shown:.{digits}f}".replace("-", "\u2212") + "\u202fpp"


def credits(value: Decimal | float | None, unit: bool = False) -> str | Markup:
    """Credits to the thousandth, all digits on hover; of less than that only that it is."""
    if value is None:
        return NOTHING
    exact = f"{Decimal(str(value)).normalize():f}"
    after = "\u202fcredits" if unit else ""
    if value and abs(float(value)) < 0.0005:
        shown = ("\u2212" if value < 0 else "") + "<\u202f0.001"
    else:
        shown = str(number(float(value), 3))
    return Markup('<span title="{} credits">{}{}</span>').format(exact, shown, after)


def exact(value: Decimal, digits: int = 3) -> str:
    """Credits as plain text with at most so many digits after the point."""
    text = f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "\u2212")
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float | None) -> str | Markup:
    """Seconds in the two largest units a person reads at a glance."""
    if seconds is None:
        return NOTHING
    if seconds < 0.1:
        return f"{seconds * 1000:.0f}\u202fms"
    if seconds < 60:
        return f"{seconds:.1f}\u202fs" if seconds < 10 else f"{seconds:.0f}\u202fs"
    whole = int(seconds)
    for size, unit, small, small_unit in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            first = f"{whole // size}\u202f{unit}"
            return f"{first} {rest}\u202f{small_unit}" if rest else first
    return f"{whole}\u202fs"


def moment(value: datetime | None, style: str = "datetime") -> Markup:
    """A `<time>` that the browser rewrites in the reader's zone, UTC on hover.

    Styles: datetime, time, relative, elapsed. Until the script runs it shows UTC.
    """
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    iso = utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = utc.strftime("%H:%M:%S" if style == "time" else "%d %b %Y, %H:%M")
    title = utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" data-time="{}" title="{}">{}</time>').format(iso, style, title, shown)


def day(value: date | None, weekday: bool = True) -> str | Markup:
    """A calendar day of the data; it has no zone."""
    if value is None:
        return NOTHING
    return value.strftime("%a %d %b %Y" if weekday else "%d %b %Y")


def middle(text: str | None, length: int = 28, breaks: bool = False) -> Markup:
    """A long name cut in the middle, the whole on hover. With ``breaks`` a line may end behind an underscore."""
    if not text:
        return NOTHING
    head = (length - 1) // 2
    tail = length - 1 - head
    short = escape(text if len(text) <= length else f"{text[:head]}…{text[-tail:]}")
    if breaks:
        short = short.replace("_", Markup("_<wbr>"))
    return short if len(text) <= length else Markup('<span title="{}">{}</span>').format(text, short)


def task_name(name: str) -> str:
    """A task's name without its graph's: the DAG API names tasks GRAPH$TASK."""
    return name.rpartition("$")[2]


def pretty(text: str | None) -> str:
    """A return value: indented when it is a JSON object or list, as it stands otherwise."""
    if not text or text.strip()[:1] not in ("{", "["):
        return text or ""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def headline(text: str, length: int = 150) -> str:
    """A statement in one line, cut at its end."""
    words = " ".join(text.split())
    return words if len(words) <= length else f"{words[: length - 1]}…"


def plain(value: str | float | int | bool | None) -> str | Markup:
    """A value of any type as it is."""
    if value is None:
        return NOTHING
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,.6g}".replace(",", "\u202f").replace("-", "\u2212")


def plural(count: int, one: str, several: str | None = None) -> str:
    """The count with its noun."""
    return f"{number(count)} {one if count == 1 else several or many(one)}"


FILTERS: Mapping[str, Any] = {
    "num": number,
    "pct": percent,
    "pp": points,
    "credits": credits,
    "exact": exact,
    "duration": duration,
    "moment": moment,
    "day": day,
    "middle": middle,
    "task": task_name,
    "pretty": pretty,
    "headline": headline,
    "cause": cause,
    "plain": plain,
    "words": words,
    "capital": capital,
    "many": many,
}
GLOBALS: Mapping[str, Any] = {"plural": plural, "path": path}
