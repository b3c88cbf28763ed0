"""The statements of the readings as SQLAlchemy expressions: names quoted by the dialect, values bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal, or_, select, table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import String

from services.snowflake.identifiers import exactly, quote
from services.sync.sources import (
    CURRENT_GRAPH_COLUMNS,
    GRAPH_COLUMNS,
    GRAPHS,
    MOST,
    QUERIES,
    TASKS,
    UsageView,
)
from services.sync.sources import REFRESH_COLUMNS as REFRESHED
from services.sync.sources import TASK_COLUMNS as RAN

# json.dumps with sorted keys: "app" is the first.
OUR_TAG = '{"app": "spokehub"'
_LONGEST_TEXT = 2_000


class _Table(FromClause):
    """``TABLE(database.INFORMATION_SCHEMA.name(ARGUMENT => value, …))``."""

    named_with_column = False
    inherit_cache = False

    def __init__(self, database: str, name: str, arguments: Mapping[str, ColumnElement[Any]]) -> None:
        self.database, self.function, self.arguments = database, name, dict(arguments)

    @property
    def _from_objects(self) -> list[FromClause]:
        return [self]


@compiles(_Table)
def _write(element: _Table, compiler: SQLCompiler, **options: Any) -> str:
    options.pop("asfrom", None)
    values = [f"{name} => {compiler.process(value, **options)}" for name, value in element.arguments.items()]
    # The compiler takes a single percent sign for a place of a value.
    place = quote(element.database).replace("%", "%%")
    return f"TABLE({place}.INFORMATION_SCHEMA.{element.function}({', '.join(values)}))"


def account_time() -> Select[Any]:
    """The account's clock."""
    return select(func.current_timestamp().label("NOW"))


def current_graphs(database: str, schema: str | None = None) -> Select[Any]:
    """What runs, waits or is due."""
    source = _Table(database, "CURRENT_TASK_GRAPHS", {"RESULT_LIMIT": literal(MOST)})
    return _placed(select(*_columns(CURRENT_GRAPH_COLUMNS)).select_from(source), database, schema)


def complete_graphs(database: str, schema: str | None = None) -> Select[Any]:
    """What ended within the hour."""
    source = _Table(database, "COMPLETE_TASK_GRAPHS", {"RESULT_LIMIT": literal(MOST)})
    return _placed(select(*_columns(GRAPH_COLUMNS)).select_from(source), database, schema)


def task_history(database: str, schema: str | None, start: datetime, end: datetime | None) -> Select[Any]:
    """Task runs that were due in [start, end], at most ``MOST``; without an end also those that are yet to come."""
    arguments = {"SCHEDULED_TIME_RANGE_START": _time(start), "DATABASE_NAME": literal(exactly(database))}
    if end is not None:
        arguments["SCHEDULED_TIME_RANGE_END"] = _time(end)
    if schema is not None:
        arguments["SCHEMA_NAME"] = literal(exactly(schema))
    source = _Table(database, "TASK_HISTORY", {**arguments, "RESULT_LIMIT": literal(MOST)})
    return _placed(select(*_columns(RAN)).select_from(source), database, schema)


def refresh_history(database: str, start: datetime, end: datetime | None) -> Select[Any]:
    """Refreshes whose data are of [start, end], and those that go on; at most ``MOST`` of the whole account."""
    arguments = {"DATA_TIMESTAMP_START": _time(start)}
    if end is not None:
        arguments["DATA_TIMESTAMP_END"] = _time(end)
    source = _Table(database, "DYNAMIC_TABLE_REFRESH_HISTORY", {**arguments, "RESULT_LIMIT": literal(MOST)})
    return select(*_columns(REFRESHED)).select_from(source)


def usage(view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None) -> Select[Any]:
    """The rows of a view in [start, end)."""
    seen = _view(view.view)
    shown = [
        func.left(column(name), _LONGEST_TEXT).label(name) if name == "QUERY_TEXT" else column(name)
        for name in view.columns
    ]
    return select(*shown).select_from(seen).where(*_within(view, databases, start, end))


def usage_by_day(view: UsageView, databases: Sequence[str], start: datetime, end: datetime) -> Select[Any]:
    """(DAY as text, ROWS_OF_DAY, TOTAL) of a view in [start, end), by day of UTC; of things told twice one each."""
    moment = func.convert_timezone("UTC", _when(view))
    day = func.to_char(moment, "YYYY-MM-DD")
    within = _within(view, databases, start, end)
    if view.key:
        things = (
            select(day.label("DAY"), *(column(name) for name in view.key))
            .select_from(_view(view.view))
            .where(*within)
            .distinct()
            .subquery("things")
        )
        counted = select(things.c.DAY, func.count().label("ROWS_OF_DAY")).group_by(things.c.DAY)
        return counted.select_from(things)
    total = func.sum(column(view.total[0])) if view.total else func.count()
    counted = select(day.label("DAY"), func.count().label("ROWS_OF_DAY"), total.label("TOTAL"))
    return counted.select_from(_view(view.view)).where(*within).group_by(day)


def _within(
    view: UsageView, databases: Sequence[str], start: datetime, end: datetime | None
) -> list[ColumnElement[bool]]:
    when = _when(view)
    found: list[ColumnElement[bool]] = [when >= _time(start)]
    if end is not None:
        found.append(when < _time(end))
    if view is TASKS or view is GRAPHS:
        found.append(column("GRAPH_RUN_GROUP_ID").is_not(None))
    if view.by_place:
        found.append(column("DATABASE_NAME", String).in_(list(databases)))
    if view is QUERIES:
        ran = _view(TASKS.view)
        # A task's statement is executed once the task was due, and the task ends with it.
        of_tasks = (
            select(column("QUERY_ID", String))
            .select_from(ran)
            .where(_when(TASKS) >= _time(start), column("DATABASE_NAME", String).in_(list(databases)))
        )
        ours: ColumnElement[Any] = column("QUERY_TAG", String)
        found.append(or_(ours.startswith(OUR_TAG, autoescape=True), column("QUERY_ID", String).in_(of_tasks)))
    return found


def _when(view: UsageView) -> ColumnElement[Any]:
    names: list[ColumnElement[Any]] = [column(name) for name in view.time]
    return func.coalesce(*names) if len(names) > 1 else names[0]


def _placed(query: Select[Any], database: str, schema: str | None) -> Select[Any]:
    query = query.where(column("DATABASE_NAME", String) == database)
    return query if schema is None else query.where(column("SCHEMA_NAME", String) == schema)


def _columns(names: Sequence[str]) -> list[ColumnElement[Any]]:
    return [column(name) for name in names]


def _view(name: str) -> FromClause:
    return table(name, schema=quoted_name("SNOWFLAKE.ACCOUNT_USAGE", None))


def _time(moment: datetime) -> ColumnElement[Any]:
    """A moment as text with its offset: the session's time zone does not matter."""
    return func.to_timestamp_ltz(literal(moment.isoformat(sep=" ", timespec="milliseconds"), String))
