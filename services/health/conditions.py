"""A filter as a condition of the history's SQL, with the values that are bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from services.health.asked import RunFilter, Term, Value
from services.health.types import FAILED_STATES
from services.history.store import naive

Condition = tuple[str, list[Any]]
_AS_IT_IS = re.compile(r"[A-Za-z0-9_.:-]+")
_NEVER = "coalesce({}, FALSE)"


def where(asked: RunFilter, columns: Mapping[str, Callable[[Value], Condition]]) -> Condition:
    """All terms together; a row whose value is NULL fits no value and every negation."""
    parts: list[str] = ["TRUE"]
    bound: list[Any] = []
    for term in asked.terms:
        text, values = _term(term, columns[term.name])
        parts.append(text)
        bound += values
    return " AND ".join(parts), bound


def _term(term: Term, one: Callable[[Value], Condition]) -> Condition:
    made = [one(value) for value in term.values]
    either = " OR ".join(f"({text})" for text, _ in made)
    values = [value for _, bound in made for value in bound]
    return (f"NOT {_NEVER.format(either)}" if term.negated else f"({either})"), values


def _equal(column: str) -> Callable[[Value], Condition]:
    return lambda value: (f"{column} = ?", [value])


def _state(value: Value) -> Condition:
    """FAILED means every way of it."""
    states = list(FAILED_STATES) if value == "FAILED" else [value]
    return f"state IN ({', '.join('?' * len(states))})", states


def _range(expression: str) -> Callable[[Value], Condition]:
    def condition(value: Value) -> Condition:
        low, high = value
        parts, bound = [], []
        for sign, end in ((">=", low), ("<=", high)):
            if end is not None:
                parts.append(f"{expression} {sign} ?")
                bound.append(end)
        return " AND ".join(parts), bound

    return condition


def _time(value: Value) -> Condition:
    begin, end = value
    parts, bound = [], []
    for sign, moment in ((">=", begin), ("<", end)):
        if moment is not None:
            parts.append(f"scheduled_at {sign} ?")
            bound.append(naive(moment))
    return " AND ".join(parts), bound


def _config(value: Value) -> Condition:
    pointer, wanted = value
    # What is no JSON has no keys; reading it would fail.
    if wanted is None:
        return "CASE WHEN json_valid(config) THEN json_exists(config, ?) END", [pointer]
    text = "CASE WHEN json_valid(config) THEN json_extract_string(config, ?) = ? END"
    if _AS_IT_IS.fullmatch(wanted):
        # Looking for letters costs a tenth of reading JSON, and these are written in it as they are.
        return f"CASE WHEN contains(config, ?) THEN {text} END", [wanted, pointer, wanted]
    return text, [pointer, wanted]


def _within(condition: Callable[[Value], Condition]) -> Callable[[Value], Condition]:
    """What is known of a run alone, asked of its tasks."""

    def of_run(value: Value) -> Condition:
        text, bound = condition(value)
        return f"run_id IN (SELECT run_id FROM graph_runs WHERE {text})", bound

    return of_run


def _contains(column: str) -> Callable[[Value], Condition]:
    return lambda value: (f"contains(lower({column}), lower(?))", [value])


_COMMON: Mapping[str, Callable[[Value], Condition]] = {
    "spoke": _equal("spoke"),
    "environment": _equal("environment"),
    "graph": _equal("graph"),
    "state": _state,
    "trigger": _equal("replace(scheduled_from, '_', ' ')"),
    "time": _time,
    "fingerprint": _equal("fingerprint"),
    "run": _equal("run_id"),
}
OF_RUNS: Mapping[str, Callable[[Value], Condition]] = {
    **_COMMON,
    "duration": _range("run_seconds"),
    "config": _config,
    "task": lambda value: (
        "first_error_task = ? OR first_error_task = graph || '$' || ?",
        [value, value],
    ),
    "error": _contains("first_error_message"),
    "request": _equal("request_id"),
}
# Of these the condition is the same SQL for the row index.
INDEXED = frozenset({*_COMMON, "duration", "task", "request"})
INDEXED_TASKS = frozenset({*_COMMON, "task"})
OF_TASKS: Mapping[str, Callable[[Value], Condition]] = {
    **_COMMON,
    "duration": _range("date_diff('millisecond', started_at, completed_at) / 1000.0"),
    "config": _within(_config),
    "task": lambda value: ("name = ? OR name = graph || '$' || ?", [value, value]),
    "error": _contains("error_message"),
    "request": _within(_equal("request_id")),
}
