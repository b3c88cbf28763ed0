"""A prediction's table or view in the account as a relation whose columns are the contract's roles.

All other SQL of this domain speaks of these columns alone: K0, K1, … (the key as text), LABEL, BLANKS (which of the
key and the version are NULL, whose text is the empty one's), T (time), DAY, PREDICTED, ACTUAL, NAIVE, LOWER_BOUND,
UPPER_BOUND, W (weight), LATITUDE, LONGITUDE, SIZE, G0, … (groups), F0, … (features), V (model version), MADE_AT. So
the spoke's names are quoted here and nowhere else. What pages read is the copy of it (``copied.py``).

Text is for ``Reader``: values are bound to ``%s``, a literal per cent sign is doubled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.snowflake.identifiers import QualifiedName, quote
from services.snowflake.scope import Scope
from spoke_kit.manifest import Grain, Prediction, PredictionKind

# Beyond it is what JSON cannot say: infinity, and what is no number, which sorts above infinity.
# https://docs.snowflake.com/en/sql-reference/data-types-numeric
_FINITE = "1.7e308"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the manifest names, and where it does so."""

    where: str
    name: str


@dataclass(frozen=True)
class Relation:
    """The rows of one prediction in one scope that predict something."""

    scope: Scope
    name: str
    contract: Prediction

    @property
    def source(self) -> QualifiedName:
        return self.scope.own(self.contract.source)

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(f"F{place}" for place in range(len(self.contract.features)))

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(f"K{place}" for place in range(len(self.contract.key)))

    @property
    def rows(self) -> str:
        """Every prediction."""
        columns = ", ".join(f"{expression} AS {role}" for role, expression in self._columns().items())
        predicted = self._value(self.contract.predicted)
        return f"(SELECT {columns} FROM {escaped(str(self.source))} WHERE {predicted} IS NOT NULL)"

    @property
    def marks(self) -> str:
        """DAY, N and MARK of each day: MARK changes when a row of the day does."""
        roles = ", ".join(self._columns())
        return f"SELECT DAY, COUNT(*) AS N, SUM(HASH({roles})) AS MARK FROM {self.rows} AS R GROUP BY DAY"

    @property
    def history_marks(self) -> str:
        """As ``marks``, of the longer history of actuals."""
        return (
            f"SELECT T::DATE AS DAY, COUNT(*) AS N, SUM(HASH({', '.join(self.keys)}, T, ACTUAL)) AS MARK"
            f" FROM {self.history} AS H GROUP BY T::DATE"
        )

    @property
    def history(self) -> str:
        """K0, …, T and ACTUAL where the contract says that actuals are; of the predictions otherwise."""
        found = self.contract.history
        if found is None:
            keys = ", ".join(self.keys)
            return f"(SELECT {keys}, T, ACTUAL FROM {self.rows} AS R WHERE ACTUAL IS NOT NULL)"
        keys = ", ".join(f"{_text(column)} AS K{place}" for place, column in enumerate(found.key))
        return (
            f"(SELECT {keys}, {self.moment(found.time)} AS T, {self._actual(found.actual)} AS ACTUAL"
            f" FROM {escaped(str(self.history_source))}"
            f" WHERE {self._actual(found.actual)} IS NOT NULL)"
        )

    @property
    def history_source(self) -> QualifiedName:
        found = self.contract.history
        if found is None:
            return self.source
        return self.scope.own(found.source) if found.schema_ == "own" else self.scope.source(found.source)

    def moment(self, column: str) -> str:
        """A time column as T."""
        return f"{_quoted(column)}::{self.time_type}"

    @property
    def time_type(self) -> str:
        return "DATE" if self.contract.grain is Grain.DAY else "TIMESTAMP_NTZ"

    def declared(self) -> Iterator[Column]:
        """Every column of the source that the contract names."""
        here = f"predictions.{self.name}"
        contract = self.contract
        for role in (
            "label", "time", "made_at", "model_version", "predicted", "lower", "upper", "actual", "naive", "weight",
        ):  # fmt: skip
            if (column := getattr(contract, role)) is not None:
                yield Column(f"{here}.{role}", column)
        for role in ("key", "groups", "features"):
            for column in getattr(contract, role):
                yield Column(f"{here}.{role}", column)
        for role in ("latitude", "longitude", "size"):
            if contract.place is not None and (column := getattr(contract.place, role)) is not None:
                yield Column(f"{here}.place.{role}", column)

    def declared_history(self) -> Iterator[Column]:
        """Every column that the contract's history names."""
        found = self.contract.history
        if found is not None:
            here = f"predictions.{self.name}.history"
            for column in found.key:
                yield Column(f"{here}.key", column)
            yield Column(f"{here}.time", found.time)
            yield Column(f"{here}.actual", found.actual)

    def _columns(self) -> dict[str, str]:
        contract = self.contract
        key = [_text(column) for column in contract.key]
        moment = self.moment(contract.time)
        named = " || ' / ' || ".join(key)
        place = contract.place
        return {
            **{f"K{at}": expression for at, expression in enumerate(key)},
            "LABEL": f"COALESCE(TO_VARCHAR({_quoted(contract.label)}), {named})" if contract.label else named,
            "BLANKS": self._blanks(),
            "T": moment,
            "DAY": f"{moment}::DATE",
            "PREDICTED": self._value(contract.predicted),
            "ACTUAL": self._actual(contract.actual),
            "NAIVE": self._value(contract.naive),
            "LOWER_BOUND": _number(contract.lower),
            "UPPER_BOUND": _number(contract.upper),
            "W": f"GREATEST(COALESCE({_number(contract.weight)}, 0), 0)" if contract.weight else "1::FLOAT",
            "LATITUDE": _number(place.latitude if place else None),
            "LONGITUDE": _number(place.longitude if place else None),
            "SIZE": _number(place.size if place else None),
            **{f"G{at}": f"TO_VARCHAR({_quoted(column)})" for at, column in enumerate(contract.groups)},
            **{f"F{at}": _quoted(column) for at, column in enumerate(contract.features)},
            "V": _text(contract.model_version) if contract.model_version else "''",
            "MADE_AT": (
                f"{_quoted(contract.made_at)}::TIMESTAMP_NTZ" if contract.made_at else "NULL::TIMESTAMP_NTZ"
            ),
        }

    def _blanks(self) -> str:
        """A letter for each column of the key and for the version: y where it is NULL."""
        version = self.contract.model_version
        told = [*self.contract.key, *([version] if version else [])]
        return " || ".join(f"CASE WHEN {_quoted(column)} IS NULL THEN 'y' ELSE 'n' END" for column in told)

    def _value(self, column: str | None) -> str:
        if self.contract.kind is PredictionKind.MULTICLASS:
            return f"TO_VARCHAR({_quoted(column)})" if column else "NULL::VARCHAR"
        return _number(column)

    def _actual(self, column: str | None) -> str:
        if column is None or self.contract.kind is not PredictionKind.BINARY:
            return self._value(column)
        # A boolean, or a number or text that means one.
        happened = f"TO_BOOLEAN({_quoted(column)})"
        return f"CASE WHEN {happened} THEN 1::FLOAT WHEN NOT {happened} THEN 0::FLOAT END"


def escaped(text: str) -> str:
    """``text`` inside a statement with bound values."""
    return text.replace("%", "%%")


def _quoted(column: str) -> str:
    return escaped(quote(column))


def _text(column: str) -> str:
    return f"COALESCE(TO_VARCHAR({_quoted(column)}), '')"


def _number(column: str | None) -> str:
    if column is None:
        return "NULL::FLOAT"
    value = f"{_quoted(column)}::FLOAT"
    return f"CASE WHEN {value} BETWEEN -{_FINITE} AND {_FINITE} THEN {value} END"
