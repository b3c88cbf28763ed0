"""Runs as REST tells of them: written by pydantic from the services' own frozen dataclasses, row by row in its core."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import TypeAdapter

from app.schemas.base import Schema
from services.core.clock import isoformat
from services.health import types
from services.health.types import GraphRunRow

RUNS: TypeAdapter[types.RunPage] = TypeAdapter(types.RunPage)
TASKS: TypeAdapter[types.TaskPage] = TypeAdapter(types.TaskPage)
GRAPH: TypeAdapter[types.GraphHealth] = TypeAdapter(types.GraphHealth)
RUN: TypeAdapter[types.RunHealth] = TypeAdapter(types.RunHealth)
_ROWS: TypeAdapter[list[GraphRunRow]] = TypeAdapter(list[GraphRunRow])
_COLUMNS = tuple(field.name for field in fields(GraphRunRow))
_PART = 500


class StatisticsList(Schema):
    """How graphs run: success of the last 7 and 30 days as fractions, lengths in seconds."""

    items: list[types.GraphStatistics]


class DayList(Schema):
    """Attempts by day (UTC) and what became of them."""

    items: list[types.DayOfRuns]


class SavedView(Schema):
    """A search for runs under a name; ``query`` is a query string."""

    id: str
    name: str
    query: str
    created_by: str
    created_at: datetime


def as_csv(rows: Iterable[GraphRunRow]) -> Iterator[str]:
    """A header and a line for each run."""
    yield _line(_COLUMNS)
    for row in rows:
        yield _line([_cell(getattr(row, name)) for name in _COLUMNS])


def as_json(rows: Iterable[GraphRunRow]) -> Iterator[bytes]:
    """``{"items": […]}`` in parts."""
    yield b'{"items":['
    rest, first = iter(rows), True
    while part := list(islice(rest, _PART)):
        yield (b"" if first else b",") + _ROWS.dump_json(part)[1:-1]
        first = False
    yield b"]}"


def _line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    # A spreadsheet would take such a text for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
