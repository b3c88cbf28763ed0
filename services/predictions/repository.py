"""The predictions themselves: days, a page of one time, places, an entity's history, alerts, what is pending.

Never more rows are fetched than a page holds; what is counted or averaged is counted in the account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from services.predictions.paging import By, Order
from services.predictions.reader import Reader, Row
from services.predictions.relation import Relation, escaped
from services.predictions.types import (
    Alert,
    AlertPage,
    HistoryValue,
    PlacedRow,
    Plain,
    PredictionRow,
    Time,
    Totals,
    Value,
)
from services.snowflake.identifiers import quote
from services.snowflake.recent import Answers
from spoke_kit.manifest import Grain, PredictionKind

# What a picker offers.
MOST_DAYS = 400
MOST_TIMES = 200
# What a map shows.
MOST_PLACES = 2_000
SORTS = ("risk", "label", "error")


class Predictions:
    """Reads the rows of relations."""

    def __init__(self, source: Answers) -> None:
        self._reader = Reader(source)

    def days(self, relation: Relation, limit: int = MOST_DAYS) -> tuple[date, ...]:
        """The newest predicted days, newest first."""
        rows = self._reader.rows(
            relation, f"SELECT DAY FROM {relation.rows} AS R GROUP BY DAY ORDER BY DAY DESC LIMIT {limit:d}"
        )
        return tuple(row["DAY"] for row in rows)

    def times(self, relation: Relation, day: date) -> tuple[datetime, ...]:
        """The predicted times of a day, oldest first."""
        rows = self._reader.rows(
            relation,
            f"SELECT T FROM {relation.rows} AS R WHERE DAY = %s::DATE GROUP BY T ORDER BY T LIMIT {MOST_TIMES}",
            (day.isoformat(),),
        )
        return tuple(row["T"] for row in rows)

    def totals(self, relation: Relation, time: Time, search: str = "") -> Totals:
        """Counts and means of one time."""
        fits, looked = _search(relation, search)
        levels = levels_of(relation)
        counted = ", ".join(f"COUNT_IF({_beyond(relation)}) AS L{place}" for place, _ in enumerate(levels))
        open_alerts = f"COUNT_IF({_beyond(relation)} AND ACTUAL IS NULL)" if levels else "0"
        numbers = relation.contract.kind is not PredictionKind.MULTICLASS
        loss, naive_loss = relation.loss("PREDICTED"), relation.loss("NAIVE")
        row = self._reader.one(
            relation,
            f"SELECT COUNT(*) AS N, COUNT_IF({fits}) AS MATCHED, COUNT(ACTUAL) AS SCORED,"
            " COUNT_IF(LATITUDE IS NOT NULL AND LONGITUDE IS NOT NULL) AS PLACED,"
            f" {mean(loss)} AS MEAN_LOSS, {mean(naive_loss)} AS MEAN_NAIVE,"
            + (
                f" {mean('PREDICTED')} AS MEAN_PREDICTED, {mean('ACTUAL')} AS MEAN_ACTUAL,"
                f" {mean('PREDICTED - ACTUAL')} AS BIAS,"
                if numbers
                else " NULL AS MEAN_PREDICTED, NULL AS MEAN_ACTUAL, NULL AS BIAS,"
            )
            + (f" {counted}," if counted else "")
            + f" {open_alerts} AS OPEN_ALERTS, MAX(V) AS V, COUNT(DISTINCT V) AS VERSIONS,"
            f" MAX(MADE_AT) AS MADE_AT FROM {relation.rows} AS R WHERE T = {_bound_time(relation)}",
            (
                *looked,
                *(level for _, level in levels),
                *(level for _, level in levels[:1]),
                time.isoformat(),
            ),
        )
        return _totals(row, levels) if row and row["N"] else Totals()

    def page(
        self,
        relation: Relation,
        time: Time,
        *,
        sort: str = "risk",
        search: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[tuple[PredictionRow, ...], str | None]:
        """A page of one time, and the cursor of the next one."""
        order, rank = _order(relation, sort)
        fits, looked = _search(relation, search)
        after, values = order.after(cursor)
        rows = self._reader.rows(
            relation,
            f"SELECT X.* FROM (SELECT R.*, {rank} AS RANKED FROM {relation.rows} AS R"
            f" WHERE T = {_bound_time(relation)} AND {fits}) AS X WHERE {after} ORDER BY {order.by}"
            f" LIMIT {limit + 1:d}",
            (time.isoformat(), *looked, *values),
        )
        shown = rows[:limit]
        following = order.cursor(shown[-1]) if len(rows) > limit else None
        return tuple(prediction_row(relation, row) for row in shown), following

    def places(self, relation: Relation, time: Time) -> tuple[PlacedRow, ...]:
        """The riskiest places of one time, the riskiest first."""
        order, rank = _order(relation, "risk")
        groups = "".join(f", G{place}" for place, _ in enumerate(relation.contract.groups))
        rows = self._reader.rows(
            relation,
            f"SELECT {', '.join(relation.keys)}, V, LABEL, LATITUDE, LONGITUDE, SIZE, PREDICTED, ACTUAL{groups},"
            f" {rank} AS RANKED FROM {relation.rows} AS R WHERE T = {_bound_time(relation)}"
            f" AND LATITUDE IS NOT NULL AND LONGITUDE IS NOT NULL ORDER BY {order.by} LIMIT {MOST_PLACES}",
            (time.isoformat(),),
        )
        return tuple(
            PlacedRow(
                key_of(relation, row),
                row["LABEL"],
                float(row["LATITUDE"]),
                float(row["LONGITUDE"]),
                as_value(row["PREDICTED"]),
                maybe(row["ACTUAL"]),
                number(row["SIZE"]),
                groups_of(relation, row),
            )
            for row in rows
        )

    def entity(self, relation: Relation, key: Sequence[str], limit: int) -> tuple[PredictionRow, ...]:
        """An entity's newest predictions, newest first; of one time the one that was made last."""
        rows = self._reader.rows(
            relation,
            f"SELECT * FROM {relation.rows} AS R WHERE {_same_key(relation)}"
            " QUALIFY ROW_NUMBER() OVER (PARTITION BY T ORDER BY MADE_AT DESC NULLS LAST, V DESC) = 1"
            f" ORDER BY T DESC LIMIT {limit:d}",
            tuple(key),
        )
        return tuple(prediction_row(relation, row) for row in rows)

    def actuals(self, relation: Relation, key: Sequence[str], limit: int) -> tuple[HistoryValue, ...]:
        """An entity's newest actuals where its longer history is, newest first."""
        rows = self._reader.rows(
            relation,
            f"SELECT T, MAX(ACTUAL) AS ACTUAL FROM {relation.history} AS H WHERE {_same_key(relation)}"
            f" GROUP BY T ORDER BY T DESC LIMIT {limit:d}",
            tuple(key),
        )
        return tuple(HistoryValue(row["T"], actual=maybe(row["ACTUAL"])) for row in rows)

    def scored(
        self, relation: Relation, days: int, cursor: str | None, limit: int
    ) -> tuple[tuple[PredictionRow, ...], str | None]:
        """The predictions with an actual of the last days, newest first."""
        order = Order("scored", (By("T", relation.time_type, descending=True), *_ties(relation)))
        after, values = order.after(cursor)
        rows = self._reader.rows(
            relation,
            f"SELECT R.* FROM {relation.scored} AS R WHERE {recent(relation)} AND {after}"
            f" ORDER BY {order.by} LIMIT {limit + 1:d}",
            (-days, *values),
        )
        shown = rows[:limit]
        following = order.cursor(shown[-1]) if len(rows) > limit else None
        return tuple(prediction_row(relation, row) for row in shown), following

    def alerts(
        self,
        relation: Relation,
        *,
        day: date | None = None,
        only_open: bool = False,
        cursor: str | None = None,
        limit: int = 200,
    ) -> AlertPage:
        """Predictions at or beyond the mildest level, newest time first, then by risk; none without levels."""
        levels = levels_of(relation)
        if not levels:
            return AlertPage()
        risk = By("PREDICTED", "FLOAT", descending=not _below(relation))
        order = Order("alerts", (By("T", relation.time_type, descending=True), risk, *_ties(relation)))
        after, values = order.after(cursor)
        asked = [_beyond(relation), after]
        bound: list[Any] = [levels[0][1], *values]
        if only_open:
            asked.append("ACTUAL IS NULL")
        if day is not None:
            asked.append("DAY = %s::DATE")
            bound.append(day.isoformat())
        rows = self._reader.rows(
            relation,
            f"SELECT * FROM {relation.rows} AS R WHERE {' AND '.join(asked)} ORDER BY {order.by}"
            f" LIMIT {limit + 1:d}",
            bound,
        )
        shown = rows[:limit]
        following = order.cursor(shown[-1]) if len(rows) > limit else None
        return AlertPage(tuple(_alert(relation, row) for row in shown), following)

    def open_alerts(self, relation: Relation) -> int:
        """Alerts whose actual is not known."""
        levels = levels_of(relation)
        if not levels:
            return 0
        row = self._reader.one(
            relation,
            f"SELECT COUNT(*) AS N FROM {relation.rows} AS R WHERE {_beyond(relation)} AND ACTUAL IS NULL",
            (levels[0][1],),
        )
        return int(row["N"]) if row else 0

    def pending(self, relation: Relation) -> tuple[date, ...]:
        """The days that the pending view shows, oldest first."""
        contract = relation.contract
        assert contract.pending is not None
        view = escaped(str(relation.scope.own(contract.pending)))
        rows = self._reader.rows(
            relation,
            f"SELECT DAY FROM (SELECT {escaped(quote(contract.time))}::DATE AS DAY FROM {view}) AS P"
            f" GROUP BY DAY ORDER BY DAY LIMIT {MOST_DAYS}",
        )
        return tuple(row["DAY"] for row in rows)

    def known(self, relation: Relation, days: Sequence[date]) -> set[date]:
        """Those of the days that were predicted, or whose actuals are in the history."""
        marks = ", ".join(["%s::DATE"] * len(days))
        asked = [day.isoformat() for day in days]
        rows = self._reader.rows(
            relation,
            f"SELECT DAY FROM {relation.rows} AS R WHERE DAY IN ({marks}) GROUP BY DAY"
            f" UNION SELECT T::DATE FROM {relation.history} AS H WHERE T::DATE IN ({marks}) GROUP BY T::DATE",
            (*asked, *asked),
        )
        return {row["DAY"] for row in rows}

    def unscored(self, relation: Relation) -> int:
        """Predictions without an actual whose history has one; without a history, all without an actual."""
        text = f"SELECT COUNT(*) AS N FROM {relation.rows} AS R WHERE R.ACTUAL IS NULL"
        if relation.contract.history is not None:
            same = " AND ".join(f"H.{key} = R.{key}" for key in relation.keys)
            text += f" AND EXISTS (SELECT 1 FROM {relation.history} AS H WHERE {same} AND H.T = R.T)"
        row = self._reader.one(relation, text)
        return int(row["N"]) if row else 0


def levels_of(relation: Relation) -> tuple[tuple[str, float], ...]:
    """The alert levels, the mildest first; none where classes are predicted."""
    alert = relation.contract.alert
    if alert is None or relation.contract.kind is PredictionKind.MULTICLASS:
        return ()
    return tuple(sorted(alert.levels.items(), key=lambda one: one[1], reverse=_below(relation)))


def level_at(relation: Relation, predicted: float) -> str | None:
    """The gravest level that a value is at or beyond."""
    found = None
    for name, level in levels_of(relation):
        if predicted <= level if _below(relation) else predicted >= level:
            found = name
    return found


def mean(expression: str) -> str:
    """The weighted mean of what is not NULL."""
    return f"SUM(W * ({expression})) / NULLIF(SUM(CASE WHEN ({expression}) IS NOT NULL THEN W END), 0)"


def recent(relation: Relation) -> str:
    """Scored rows of the last days; binds the number of days, negative."""
    return f"DAY > (SELECT DATEADD(day, %s, MAX(DAY)) FROM {relation.scored} AS N)"


def key_of(relation: Relation, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in relation.keys)


def groups_of(relation: Relation, row: Row) -> Mapping[str, str | None]:
    return {column: row[f"G{place}"] for place, column in enumerate(relation.contract.groups)}


def prediction_row(relation: Relation, row: Row) -> PredictionRow:
    """A row of the relation as what is read."""
    predicted, actual = as_value(row["PREDICTED"]), maybe(row["ACTUAL"])
    numbers = isinstance(predicted, float) and isinstance(actual, float)
    return PredictionRow(
        key=key_of(relation, row),
        label=row["LABEL"],
        time=row["T"],
        predicted=predicted,
        actual=actual,
        error=predicted - actual if numbers else None,  # type: ignore[operator]
        naive=maybe(row["NAIVE"]),
        lower=number(row["LOWER_BOUND"]),
        upper=number(row["UPPER_BOUND"]),
        level=level_at(relation, predicted) if isinstance(predicted, float) else None,
        groups=groups_of(relation, row),
        features={
            column: _plain(row[f"F{place}"]) for place, column in enumerate(relation.contract.features)
        },
        model_version=row["V"] or None,
        made_at=utc(row["MADE_AT"]),
    )


def as_value(value: Any) -> Value:
    return value if isinstance(value, str) else float(value)


def maybe(value: Any) -> Value | None:
    return None if value is None else as_value(value)


def number(value: Any) -> float | None:
    return None if value is None else float(value)


def utc(moment: datetime | None) -> datetime | None:
    """A moment without zone is of UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _plain(value: Any) -> Plain:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    try:
        read = float(value)
    except (TypeError, ValueError):
        return str(value)
    return read if abs(read) < float("inf") else None


def _alert(relation: Relation, row: Row) -> Alert:
    predicted = float(row["PREDICTED"])
    return Alert(
        prediction=relation.name,
        key=key_of(relation, row),
        label=row["LABEL"],
        time=row["T"],
        predicted=predicted,
        level=level_at(relation, predicted) or "",
        actual=number(row["ACTUAL"]),
        open=row["ACTUAL"] is None,
        groups=groups_of(relation, row),
    )


def _totals(row: Row, levels: Sequence[tuple[str, float]]) -> Totals:
    return Totals(
        n=int(row["N"]),
        matched=int(row["MATCHED"]),
        placed=int(row["PLACED"]),
        scored=int(row["SCORED"]),
        mean_predicted=number(row["MEAN_PREDICTED"]),
        mean_actual=number(row["MEAN_ACTUAL"]),
        loss=number(row["MEAN_LOSS"]),
        naive_loss=number(row["MEAN_NAIVE"]),
        bias=number(row["BIAS"]),
        levels={name: int(row[f"L{place}"]) for place, (name, _) in enumerate(levels)},
        open_alerts=int(row["OPEN_ALERTS"]),
        model_version=row["V"] or None,
        model_versions=int(row["VERSIONS"]),
        made_at=utc(row["MADE_AT"]),
    )


def _below(relation: Relation) -> bool:
    alert = relation.contract.alert
    return alert is not None and alert.when == "below"


def _beyond(relation: Relation) -> str:
    """At or beyond a level, which is bound."""
    return f"PREDICTED {'<=' if _below(relation) else '>='} %s"


def _bound_time(relation: Relation) -> str:
    return f"%s::{'DATE' if relation.contract.grain is Grain.DAY else 'TIMESTAMP_NTZ'}"


def _same_key(relation: Relation) -> str:
    return " AND ".join(f"{key} = %s" for key in relation.keys)


def _ties(relation: Relation) -> tuple[By, ...]:
    return (*(By(key) for key in relation.keys), By("V"), By("BLANKS"))


def _order(relation: Relation, sort: str) -> tuple[Order, str]:
    """The order, and the expression RANKED that it begins with."""
    numbers = relation.contract.kind is not PredictionKind.MULTICLASS
    if sort == "error":
        first = By("RANKED", "FLOAT", descending=True)
        rank = f"COALESCE({relation.loss('PREDICTED')}, -1)::FLOAT"
    elif sort == "risk" and numbers:
        first = By("RANKED", "FLOAT", descending=not _below(relation))
        rank = "PREDICTED"
    else:
        first = By("RANKED")
        rank = "LABEL"
    return Order(sort, (first, *_ties(relation))), rank


def _search(relation: Relation, search: str) -> tuple[str, tuple[str, ...]]:
    """Rows whose label or a part of whose key holds the text, in any case."""
    if not search:
        return "TRUE", ()
    columns = ("LABEL", *relation.keys)
    either = " OR ".join(f"CONTAINS(LOWER({column}), LOWER(%s))" for column in columns)
    return f"({either})", (search,) * len(columns)
