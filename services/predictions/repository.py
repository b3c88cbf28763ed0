"""The predictions themselves: days, a page of one time, places, an entity's history, alerts; from the copy.

Never more rows are fetched than a page holds. What is counted or averaged of a whole time was so at copying
(``summaries.py``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from services.history import History
from services.predictions.copied import SEPARATOR, Copy, Row
from services.predictions.paging import By, Order
from services.predictions.rows import (
    alert_row,
    as_value,
    below,
    levels_of,
    maybe,
    number,
    numeric,
    placed_row,
    prediction_row,
)
from services.predictions.summaries import STEP, totals_of
from services.predictions.types import (
    AlertPage,
    HistoryValue,
    PlacedRow,
    PredictionRow,
    Time,
    Totals,
)

# What a picker offers.
MOST_DAYS = 400
MOST_TIMES = 200
# What a map shows.
MOST_PLACES = 1_500
SORTS = ("risk", "label", "error")


class Predictions:
    """Reads the rows of copies."""

    def __init__(self, history: History) -> None:
        self._history = history

    def days(self, copy: Copy, limit: int = MOST_DAYS) -> tuple[date, ...]:
        """The newest predicted days, newest first."""
        rows = self._history.rows(
            "SELECT day FROM prediction_times WHERE copy_id = ? GROUP BY day ORDER BY day DESC LIMIT ?",
            (copy.id, limit),
        )
        return tuple(row["day"] for row in rows)

    def times(self, copy: Copy, day: date) -> tuple[datetime, ...]:
        """The predicted times of a day, oldest first."""
        rows = self._history.rows(
            "SELECT t FROM prediction_times WHERE copy_id = ? AND day = ? ORDER BY t LIMIT ?",
            (copy.id, day, MOST_TIMES),
        )
        return tuple(row["t"] for row in rows)

    def totals(self, copy: Copy, time: Time, search: str = "") -> Totals:
        """Counts and means of one time."""
        rows = self._history.rows(
            "SELECT body FROM prediction_times WHERE copy_id = ? AND t = ?", (copy.id, _moment(time))
        )
        if not rows:
            return Totals()
        if not search:
            return totals_of(rows[0]["body"])
        fits, looked = _search(copy, search)
        (counted,) = self._history.rows(
            f"SELECT COUNT(*) AS N FROM {copy.rows} WHERE T = ? AND {fits}", (time, *looked)
        )
        return totals_of(rows[0]["body"], matched=counted["N"])

    def page(
        self,
        copy: Copy,
        time: Time,
        *,
        sort: str = "risk",
        search: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[tuple[PredictionRow, ...], str | None]:
        """A page of one time, and the cursor of the next one."""
        order, rank = _order(copy, sort)
        fits, looked = _search(copy, search)
        after, values = order.after(cursor)
        near: Sequence[Any] = ()
        if sort == "risk" and not search and limit < STEP:
            near = self._nearest(copy, time, order.last(cursor)[0] if cursor else None)
        rows = self._history.rows(
            f"SELECT * FROM (SELECT R.*, {rank} AS RANKED FROM {copy.rows} AS R"
            f" WHERE T = ? AND {fits}{_within(copy, near)}) AS X WHERE {after} ORDER BY {order.by}"
            f" LIMIT {limit + 1:d}",
            (time, *looked, *near, *values),
        )
        shown, following = _page(rows, limit, order)
        return tuple(prediction_row(copy, row) for row in shown), following

    def places(self, copy: Copy, time: Time) -> tuple[PlacedRow, ...]:
        """The riskiest places of one time, the riskiest first."""
        order, rank = _order(copy, "risk")
        groups = "".join(f", G{place}" for place, _ in enumerate(copy.contract.groups))
        near = self._nearest(copy, time, None, placed=True)
        rows = self._history.rows(
            f"SELECT {', '.join(copy.keys)}, V, LABEL, LATITUDE, LONGITUDE, SIZE, PREDICTED, ACTUAL{groups},"
            f" {rank} AS RANKED FROM {copy.rows} AS R WHERE T = ?{_within(copy, near)}"
            f" AND LATITUDE IS NOT NULL AND LONGITUDE IS NOT NULL ORDER BY {order.by} LIMIT {MOST_PLACES}",
            (time, *near),
        )
        return tuple(placed_row(copy, row) for row in rows)

    def entity(self, copy: Copy, key: Sequence[str], limit: int) -> tuple[HistoryValue, ...]:
        """An entity's newest predictions, newest first; of one time the one that was made last."""
        rows = self._history.rows(
            f"SELECT * FROM {copy.entities} WHERE {copy.same_key(key)}"
            " QUALIFY ROW_NUMBER() OVER (PARTITION BY T ORDER BY MADE_AT DESC NULLS LAST, V DESC) = 1"
            f" ORDER BY T DESC LIMIT {limit:d}"
        )
        return tuple(
            HistoryValue(
                row["T"],
                as_value(row["PREDICTED"]),
                maybe(row["ACTUAL"]),
                maybe(row["NAIVE"]),
                number(row["LOWER_BOUND"]),
                number(row["UPPER_BOUND"]),
            )
            for row in rows
        )

    def one(self, copy: Copy, key: Sequence[str], time: Time) -> PredictionRow | None:
        """An entity's prediction for one time, the one that was made last."""
        rows = self._history.rows(
            f"SELECT * FROM {copy.rows} WHERE T = ? AND {copy.same_key(key)}"
            " ORDER BY MADE_AT DESC NULLS LAST, V DESC LIMIT 1",
            (time,),
        )
        return prediction_row(copy, rows[0]) if rows else None

    def actuals(self, copy: Copy, key: Sequence[str], limit: int) -> tuple[HistoryValue, ...]:
        """An entity's newest actuals where its longer history is, newest first."""
        rows = self._history.rows(
            f"SELECT T, MAX(ACTUAL) AS ACTUAL FROM {copy.actuals} WHERE {copy.same_key(key)}"
            f" GROUP BY T ORDER BY T DESC LIMIT {limit:d}"
        )
        return tuple(HistoryValue(row["T"], actual=maybe(row["ACTUAL"])) for row in rows)

    def scored(
        self, copy: Copy, days: int, cursor: str | None, limit: int
    ) -> tuple[tuple[PredictionRow, ...], str | None]:
        """The predictions with an actual of the last days, newest first."""
        order = Order("scored", (By("T", copy.time_type, descending=True), *_ties(copy)))
        after, values = order.after(cursor)
        (newest,) = self._history.rows(
            "SELECT MAX(day) - ? AS BEFORE FROM prediction_times WHERE copy_id = ? AND scored > 0",
            (days, copy.id),
        )
        if newest["BEFORE"] is None:
            return (), None
        since = self._since(copy, "scored", limit, order.last(cursor)[0] if cursor else None)
        rows = self._history.rows(
            f"SELECT * FROM {copy.rows} AS R WHERE DAY > ? AND T >= ? AND ACTUAL IS NOT NULL AND {after}"
            f" ORDER BY {order.by} LIMIT {limit + 1:d}",
            (newest["BEFORE"], since, *values),
        )
        shown, following = _page(rows, limit, order)
        return tuple(prediction_row(copy, row) for row in shown), following

    def alerts(
        self,
        copy: Copy,
        *,
        day: date | None = None,
        only_open: bool = False,
        cursor: str | None = None,
        limit: int = 200,
    ) -> AlertPage:
        """Predictions at or beyond the mildest level, newest time first, then by risk; none without levels."""
        levels = levels_of(copy)
        if not levels:
            return AlertPage()
        risk = By("PREDICTED", "DOUBLE", descending=not below(copy))
        order = Order("alerts", (By("T", copy.time_type, descending=True), risk, *_ties(copy)))
        after, values = order.after(cursor)
        asked = [f"PREDICTED {'<=' if below(copy) else '>='} ?", after]
        bound: list[Any] = [levels[0][1], *values]
        if only_open:
            asked.append("ACTUAL IS NULL")
        if day is not None:
            asked.append("DAY = ?")
            bound.append(day)
        else:
            counted = "open_alerts" if only_open else "alerts"
            asked.append("T >= ?")
            bound.append(self._since(copy, counted, limit, order.last(cursor)[0] if cursor else None))
        rows = self._history.rows(
            f"SELECT * FROM {copy.rows} AS R WHERE {' AND '.join(asked)} ORDER BY {order.by}"
            f" LIMIT {limit + 1:d}",
            bound,
        )
        shown, following = _page(rows, limit, order)
        return AlertPage(tuple(alert_row(copy, row) for row in shown), following)

    def open_alerts(self, copy: Copy) -> int:
        """Alerts whose actual is not known."""
        (row,) = self._history.rows(
            "SELECT COALESCE(SUM(open_alerts), 0) AS N FROM prediction_times WHERE copy_id = ?", (copy.id,)
        )
        return int(row["N"])

    def _nearest(self, copy: Copy, time: Time, last: float | None, placed: bool = False) -> tuple[float, ...]:
        """A value before which there are enough rows for a page behind ``last``, if one is known."""
        rows = self._history.rows(
            "SELECT cuts, body FROM prediction_times WHERE copy_id = ? AND t = ? AND cuts IS NOT NULL",
            (copy.id, _moment(time)),
        )
        if not rows:
            return ()
        totals = totals_of(rows[0]["body"])
        if placed and totals.placed < totals.n:
            return ()
        cuts: list[float] = json.loads(rows[0]["cuts"])
        if last is None:
            return (cuts[0],)
        beyond = [cut for cut in cuts if (cut > last if below(copy) else cut < last)]
        return tuple(beyond[1:2])

    def _since(self, copy: Copy, counted: str, limit: int, last: Time | None) -> Time:
        """The oldest time that a page behind ``last`` may reach, by what was counted of each time."""
        newest = _moment(date.max) if last is None else _moment(last)
        (row,) = self._history.rows(
            f"""SELECT MIN(t) AS T FROM (
  SELECT t, SUM(CASE WHEN t < ? THEN {counted} ELSE 0 END)
    OVER (ORDER BY t DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM prediction_times WHERE copy_id = ? AND t <= ?
) AS X WHERE before IS NULL OR before <= ?""",
            (newest, copy.id, newest, limit),
        )
        found: datetime = row["T"] or _moment(date.min)
        return found if copy.time_type == "TIMESTAMP" else found.date()


def _page(rows: list[Row], limit: int, order: Order) -> tuple[list[Row], str | None]:
    shown = rows[:limit]
    return shown, order.cursor(shown[-1]) if len(rows) > limit else None


def _moment(time: Time) -> datetime:
    return time if isinstance(time, datetime) else datetime.combine(time, datetime.min.time())


def _within(copy: Copy, near: Sequence[float]) -> str:
    return f" AND PREDICTED {'<=' if below(copy) else '>='} ?" if near else ""


def _ties(copy: Copy) -> tuple[By, ...]:
    return (*(By(key) for key in copy.keys), By("V"), By("BLANKS"))


def _order(copy: Copy, sort: str) -> tuple[Order, str]:
    """The order, and the expression RANKED that it begins with."""
    if sort == "error":
        first = By("RANKED", "DOUBLE", descending=True)
        rank = f"COALESCE({copy.loss('PREDICTED')}, -1)"
    elif sort == "risk" and numeric(copy):
        first = By("RANKED", "DOUBLE", descending=not below(copy))
        rank = "PREDICTED"
    else:
        first = By("RANKED")
        rank = "LABEL"
    return Order(sort, (first, *_ties(copy))), rank


def _search(copy: Copy, search: str) -> tuple[str, tuple[str, ...]]:
    """Rows whose label or a part of whose key holds the text, in any case."""
    if not search:
        return "TRUE", ()
    if SEPARATOR not in search:
        return "contains(SEARCH, lower(?))", (search,)
    columns = ("LABEL", *copy.keys)
    either = " OR ".join(f"contains(lower({column}), lower(?))" for column in columns)
    return f"({either})", (search,) * len(columns)
