"""The copy of a prediction's rows in the history: what pages read.

Its tables have the relation's roles as columns (``relation.py``) and KH and KI, numbers made of the key. A day's rows
lie together in ``rows``, the riskiest first, and in ``entities`` by KH: so a page, a map and an entity's history
touch a small part of them. ``actuals`` is the longer history by KH.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from services.history import History
from services.history.store import aware
from services.predictions.relation import Relation
from services.predictions.types import Problem
from spoke_kit.manifest import Grain, Prediction, PredictionKind

Row = dict[str, Any]
Asks = Callable[[str, Sequence[Any]], list[Row]]
"""A query of the history, its values bound to ``?``, → its rows."""

# A probability of 0 or 1 that was wrong costs this much less than infinity.
_EPSILON = "1e-15"
KEY_NUMBERS = {"KH": "UBIGINT", "KI": "UBIGINT"}
# Between the parts of what is searched.
SEPARATOR = "\x1f"
# Grows when the tables of copies change.
_FORM = 1


@dataclass(frozen=True)
class Copy:
    """One prediction as it was copied: its contract is that of the copy."""

    relation: Relation
    id: int
    as_of: datetime
    changed_at: datetime
    shape: str
    feature_types: tuple[str, ...] = ()
    problem: Problem | None = None

    @property
    def name(self) -> str:
        return self.relation.name

    @property
    def contract(self) -> Prediction:
        return self.relation.contract

    @property
    def keys(self) -> tuple[str, ...]:
        return self.relation.keys

    @property
    def rows(self) -> str:
        """Every prediction."""
        return f"predicted_{self.id:d}"

    @property
    def entities(self) -> str:
        """The same by key, with what an entity's history shows."""
        return f"predicted_{self.id:d}_entities"

    @property
    def actuals(self) -> str:
        """KH, KI, T and ACTUAL of the longer history."""
        return f"predicted_{self.id:d}_actuals"

    @property
    def scored(self) -> str:
        """Every prediction whose actual is known, with LOSS and NAIVE_LOSS."""
        return (
            f"(SELECT R.*, {self.loss('PREDICTED')} AS LOSS, {self.loss('NAIVE')} AS NAIVE_LOSS"
            f" FROM {self.rows} AS R WHERE ACTUAL IS NOT NULL)"
        )

    @property
    def columns(self) -> dict[str, str]:
        """The columns of ``rows`` and their types."""
        value, number = self.value_type, "DOUBLE"
        return {
            **KEY_NUMBERS,
            **dict.fromkeys(self.keys, "VARCHAR"),
            **dict.fromkeys(("LABEL", "SEARCH", "BLANKS"), "VARCHAR"),
            "T": self.time_type,
            "DAY": "DATE",
            **dict.fromkeys(("PREDICTED", "ACTUAL", "NAIVE"), value),
            **dict.fromkeys(("LOWER_BOUND", "UPPER_BOUND", "W", "LATITUDE", "LONGITUDE", "SIZE"), number),
            **{f"G{place}": "VARCHAR" for place, _ in enumerate(self.contract.groups)},
            **dict(zip(self.relation.features, self.feature_types, strict=True)),
            "V": "VARCHAR",
            "MADE_AT": "TIMESTAMP",
        }

    @property
    def value_type(self) -> str:
        return "VARCHAR" if self.contract.kind is PredictionKind.MULTICLASS else "DOUBLE"

    @property
    def time_type(self) -> str:
        return "DATE" if self.contract.grain is Grain.DAY else "TIMESTAMP"

    @property
    def key_numbers(self) -> dict[str, str]:
        """KH and KI of a row."""
        told = ", ".join(f"strlen({name}), {name}" for name in self.keys)
        key = f"concat_ws('{SEPARATOR}', {told})"
        return {"KH": f"md5_number_lower({key})", "KI": f"md5_number_upper({key})"}

    def same_key(self, key: Sequence[str]) -> str:
        """The condition for an entity's rows."""
        told = SEPARATOR.join(f"{len(part.encode())}{SEPARATOR}{part}" for part in key)
        digest = hashlib.md5(told.encode(), usedforsecurity=False).digest()
        lower, upper = (int.from_bytes(half, "little") for half in (digest[8:], digest[:8]))
        # As literals of their type: a bound number is of another, and the column would be cast, all of it.
        return f"KH = {lower:d}::UBIGINT AND KI = {upper:d}::UBIGINT"

    def loss(self, role: str) -> str:
        """What a value costs beside ACTUAL; NULL where either is not known."""
        kind = self.contract.kind
        if kind is PredictionKind.REGRESSION:
            return f"ABS({role} - ACTUAL)"
        if kind is PredictionKind.BINARY:
            right = f"CASE WHEN ACTUAL = 1 THEN {role} WHEN ACTUAL = 0 THEN 1 - {role} END"
            # The least and the greatest pass over NULL.
            cost = f"-LN(LEAST(GREATEST({right}, {_EPSILON}), 1))"
            return f"CASE WHEN {role} IS NOT NULL AND ACTUAL IN (0, 1) THEN {cost} END"
        return f"CASE WHEN {role} = ACTUAL THEN 0.0 WHEN {role} <> ACTUAL THEN 1.0 END"


class Copies:
    """Which copies there are."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: tuple[int, dict[tuple[str, str, str], Row]] = (-1, {})

    def of(self, relation: Relation) -> Copy | Problem | None:
        """The copy of a prediction; why there is none; None before the first attempt."""
        scope = relation.scope
        row = self._rows().get((scope.spoke, scope.environment, relation.name))
        if row is None:
            return None
        problem = Problem(**json.loads(row["problem"])) if row["problem"] else None
        if row["id"] is None:
            return problem
        return Copy(
            Relation(scope, relation.name, contract_of(row["contract"])),
            row["id"],
            _known(row["as_of"]),
            _known(row["changed_at"]),
            row["shape"],
            tuple(json.loads(row["feature_types"])),
            problem,
        )

    def _rows(self) -> dict[tuple[str, str, str], Row]:
        """By spoke, environment and prediction; read once for each state of the history."""
        state, known = self._history.commits, self._known
        if known[0] != state:
            rows = self._history.rows("SELECT * FROM prediction_copies")
            known = (state, {(row["spoke"], row["environment"], row["prediction"]): row for row in rows})
            self._known = known
        return known[1]


def shape_of(relation: Relation) -> str:
    """What a copy depends on, as sixteen hexadecimal digits."""
    told = f"{_FORM}\n{relation.source}\n{relation.history_source}\n{contract_text(relation.contract)}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def contract_text(contract: Prediction) -> str:
    return contract.model_dump_json()


@lru_cache(maxsize=256)
def contract_of(text: str) -> Prediction:
    """As ``contract_text`` wrote it."""
    return Prediction.model_validate_json(text)


def _known(moment: datetime) -> datetime:
    found = aware(moment)
    assert found is not None
    return found
