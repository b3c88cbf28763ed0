"""What is not predicted or not scored yet, as the account says now: steps and checks before them ask it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.predictions.reader import Reader
from services.predictions.relation import Relation, escaped
from services.snowflake.answers import Answers
from services.snowflake.identifiers import quote

_MOST_DAYS = 400


class Awaited:
    """Asks the account about relations."""

    def __init__(self, source: Answers) -> None:
        self._reader = Reader(source)

    def pending(self, relation: Relation) -> tuple[date, ...]:
        """The days that the pending view shows, oldest first."""
        contract = relation.contract
        assert contract.pending is not None
        view = escaped(str(relation.scope.own(contract.pending)))
        rows = self._reader.rows(
            relation,
            f"SELECT DAY FROM (SELECT {escaped(quote(contract.time))}::DATE AS DAY FROM {view}) AS P"
            f" GROUP BY DAY ORDER BY DAY LIMIT {_MOST_DAYS}",
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
