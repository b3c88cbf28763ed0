"""What is asked of runs, as an address says it: ``field=value``, several values for either, ``field_not`` for none.

Conditions of different fields hold together. What cannot be understood is told by field, all of it at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.core.errors import Invalid
from services.health.types import STATES

# A text, a range of seconds, a range of times, or a JSON pointer with a text: as the field reads it.
Value = Any
NEGATION = "_not"
MOST_VALUES, MOST_LENGTH = 50, 1000
PRESETS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
TRIGGERS = ("SCHEDULE", "EXECUTE TASK", "MANUAL RETRY", "AUTOMATIC RETRY")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?\Z")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_AGO = re.compile(r"(\d{1,5})(m|h|d)\Z")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: any of ``values``, or none of them when ``negated``. ``texts`` are as they were written."""

    name: str
    negated: bool
    texts: tuple[str, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Conditions that hold together."""

    terms: tuple[Term, ...] = ()

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """As the address says it."""
        return tuple(
            (term.name + (NEGATION if term.negated else ""), text)
            for term in self.terms
            for text in term.texts
        )

    def of(self, name: str, negated: bool = False) -> tuple[Value, ...]:
        """The values of a field."""
        found = (term for term in self.terms if (term.name, term.negated) == (name, negated))
        return next((term.values for term in found), ())

    def without(self, name: str, text: str, negated: bool) -> tuple[tuple[str, str], ...]:
        """The address's pairs without one of them."""
        gone = (name + (NEGATION if negated else ""), text)
        return tuple(pair for pair in self.asked if pair != gone)


@dataclass(frozen=True, slots=True)
class Fault:
    """What was asked of a field and is not understood, and why."""

    field: str
    text: str
    message: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field to ask for: its title, what to write, and what reads it (ValueError says what is wrong)."""

    name: str
    title: str
    example: str
    read: Callable[[str, datetime], Value] = field(default=lambda text, now: text)


def read(pairs: Iterable[tuple[str, str]], now: datetime) -> tuple[RunFilter, tuple[Fault, ...]]:
    """The filter that the pairs of an address ask for, and what of them is not understood. Empty values ask nothing."""
    texts: dict[tuple[str, bool], list[str]] = {}
    faults: list[Fault] = []
    for key, text in pairs:
        negated = key.endswith(NEGATION)
        name = key.removesuffix(NEGATION) if negated else key
        if not text.strip():
            continue
        if name not in FIELDS:
            known = ", ".join(FIELDS)
            faults.append(
                Fault(key, text, f"There is no filter {key!r}. Use one of {known}, each with {NEGATION} too.")
            )
        elif len(text) > MOST_LENGTH or "\x00" in text:
            faults.append(Fault(key, text[:40], f"A value has at most {MOST_LENGTH} characters, and no NUL."))
        elif text.strip() not in (held := texts.setdefault((name, negated), [])):
            held.append(text.strip())
    terms = []
    for (name, negated), written in texts.items():
        key = name + (NEGATION if negated else "")
        if len(written) > MOST_VALUES:
            faults.append(Fault(key, written[-1], f"At most {MOST_VALUES} values of one filter."))
            continue
        good: list[tuple[str, Value]] = []
        for text in written:
            try:
                good.append((text, FIELDS[name].read(text, now)))
            except ValueError as error:
                faults.append(Fault(key, text, str(error)))
        if good:
            terms.append(
                Term(name, negated, tuple(text for text, _ in good), tuple(value for _, value in good))
            )
    return RunFilter(tuple(terms)), tuple(faults)


def require(pairs: Iterable[tuple[str, str]], now: datetime) -> RunFilter:
    """As ``read``; Invalid 422 with all faults when there are any."""
    found, faults = read(pairs, now)
    if faults:
        told = [{"field": fault.field, "message": fault.message} for fault in faults]
        raise Invalid(
            "; ".join(f"{fault.field}: {fault.message}" for fault in faults),
            hint="Correct the named fields.",
            code="bad_filter",
            detail=told,
        )
    return found


def _state(text: str, now: datetime) -> Value:
    word = text.upper()
    if word not in STATES:
        raise ValueError(f"There is no state {text!r}. Use one of {', '.join(STATES)}.")
    return word


def _trigger(text: str, now: datetime) -> Value:
    return text.upper().replace("_", " ")


def _upper(text: str, now: datetime) -> Value:
    return text.upper()


def _plain(text: str, now: datetime) -> Value:
    return text


def _seconds(text: str) -> float | None:
    if not text.strip():
        return None
    found = _SPAN.match(text.strip().lower())
    if found is None:
        raise ValueError(f"{text.strip()!r} is no duration. Write seconds, or 500ms, 30s, 5m, 2h, 1d.")
    return float(found[1]) * _UNITS[found[2] or "s"]


def _duration(text: str, now: datetime) -> Value:
    low, dots, high = text.partition("..")
    if not dots:
        raise ValueError("Write a range: 30s..5m, 10m.. for at least, or ..10m for at most.")
    least, most = _seconds(low), _seconds(high)
    if least is None and most is None:
        raise ValueError("Write at least one end of the range, as 10m.. or ..30s.")
    if least is not None and most is not None and least > most:
        raise ValueError("The range ends before it begins.")
    return least, most


def _time(text: str, now: datetime) -> Value:
    ago = _AGO.match(text.strip().lower())
    if ago is not None:
        return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]]), None
    low, dots, high = text.partition("..")
    if not dots:
        low, high = text, text
    begin, end = _moment(low, False), _moment(high, True)
    if begin is None and end is None:
        raise ValueError("Write at least one end of the range, as 2025-07-01.. or ..2025-07-31.")
    if begin is not None and end is not None and begin >= end:
        raise ValueError("The range ends before it begins.")
    return begin, end


def _moment(text: str, end: bool) -> datetime | None:
    """A day means its beginning, at the end of a range the beginning of the next one."""
    text = text.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= 10 and end:
            moment += timedelta(days=1)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time. Write 1h, 24h, 7d, 30d, or a range as 2025-07-01..2025-07-31 (UTC)."
        ) from None


def _config(text: str, now: datetime) -> Value:
    path, colon, wanted = text.partition(":")
    if not path.strip() or any(not part for part in path.strip().split(".")):
        raise ValueError("Write key:value, with dots into objects (model.depth:6), or the key alone.")
    # A JSON pointer, in which any key can be written.
    pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path.strip().split("."))
    return pointer, wanted.strip() if colon else None


FIELDS: Mapping[str, Field] = {
    one.name: one
    for one in (
        Field("spoke", "Spoke", "the spoke's name", _plain),
        Field("environment", "Environment", "DEV", _upper),
        Field("graph", "Graph", "the graph's name", _plain),
        Field("state", "State", "FAILED", _state),
        Field("trigger", "Trigger", "SCHEDULE, EXECUTE TASK, MANUAL RETRY", _trigger),
        Field("duration", "Duration", "10m.., ..30s or 30s..5m", _duration),
        Field("time", "Time", "24h, 7d or 2025-07-01..2025-07-31", _time),
        Field("config", "CONFIG", "key:value or a.b:value", _config),
        Field("task", "Task", "of a run: its first failed task", _plain),
        Field("error", "Error text", "a part of the message", _plain),
        Field("fingerprint", "Fingerprint", "16 hexadecimal digits", _plain),
        Field("request", "Operation", "the id of the operation that started it", _plain),
        Field("run", "Run", "GRAPH_RUN_GROUP_ID", _plain),
    )
}
