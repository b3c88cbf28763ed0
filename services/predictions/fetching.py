"""The account's side of copying: what each day is like, and the rows of some days in parts of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from services.predictions.reader import Row
from services.predictions.rows import plain
from services.snowflake.failures import translate

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector import SnowflakeConnection

# Rows of one statement, and days.
FETCHED = 50_000
_MOST_DAYS = 400
# Of the connector's numbers of types: what the history keeps as it is. All else is kept as text.
# https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api
_TYPES = {1: "DOUBLE", 3: "DATE", 8: "TIMESTAMP", 13: "BOOLEAN"}
_FIXED = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Days whose rows are fetched together, or one day in so many statements."""

    days: tuple[date, ...]
    rows: int
    statements: int = 1


def batches(days: Mapping[date, int]) -> Iterator[Batch]:
    """By day its number of rows → all of the days, oldest first."""
    kept: list[date] = []
    count = 0
    for day in sorted(days):
        if kept and (count + days[day] > FETCHED or len(kept) == _MOST_DAYS):
            yield Batch(tuple(kept), count)
            kept, count = [], 0
        if days[day] > FETCHED:
            # A power of two, as the rows are told apart by bits.
            yield Batch((day,), days[day], 1 << ((days[day] - 1) // FETCHED).bit_length())
        else:
            kept.append(day)
            count += days[day]
    if kept:
        yield Batch(tuple(kept), count)


class Asked:
    """One connection; its errors are translated."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        self._connection = connection

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """The rows of one statement, each as a dict by column name."""
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(text, values or None)
                names = [column.name for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            except Exception as error:
                raise translate(error) or error from error

    def types(self, text: str) -> tuple[str, ...]:
        """What the history keeps each column of a statement as; the statement is not executed."""
        with self._connection.cursor() as cursor:
            try:
                found = cursor.describe(text.replace("%%", "%"))
            except Exception as error:
                raise translate(error) or error from error
        return tuple(_type(column.type_code, column.scale) for column in found or ())

    def tables(self, text: str, keys: Sequence[str], batch: Batch) -> Iterator[pa.Table]:
        """The rows of a statement with a column DAY that are of the batch's days."""
        days = ", ".join(f"'{day.isoformat()}'::DATE" for day in batch.days)
        for place in range(batch.statements):
            part = f" AND BITAND(HASH({', '.join(keys)}), {batch.statements - 1}) = {place}"
            wanted = f"{text} WHERE DAY IN ({days}){part if batch.statements > 1 else ''}"
            with self._connection.cursor() as cursor:
                try:
                    cursor.execute(wanted.replace("%%", "%"))
                    for table in cursor.fetch_arrow_batches():
                        yield _kept(table)
                except Exception as error:
                    raise translate(error) or error from error


def _type(code: int, scale: int | None) -> str:
    if code == _FIXED:
        return "DOUBLE" if scale else "DECIMAL(38, 0)"
    return _TYPES.get(code, "VARCHAR")


def _kept(table: pa.Table) -> pa.Table:
    """What the history cannot keep as it is becomes text, as it is shown."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if not _as_it_is(field.type):
            column = table.column(place)
            if pa.types.is_timestamp(field.type):
                column = column.cast(pa.timestamp("us", field.type.tz), safe=False)
            shown = [plain(value) for value in column.to_pylist()]
            texts = pa.array([None if value is None else str(value) for value in shown], pa.string())
            table = table.set_column(place, field.name, texts)
    return table


def _as_it_is(kind: pa.DataType) -> bool:
    import pyarrow as pa

    whole = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    if pa.types.is_timestamp(kind):
        return kind.tz is None
    return any(check(kind) for check in (*whole, pa.types.is_string, pa.types.is_date))
