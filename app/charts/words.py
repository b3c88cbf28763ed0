"""Names and values of the account in words, and a prediction's values in its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from spoke_kit.manifest import Prediction, PredictionKind

_SHOUTED = re.compile(r"[A-Z][A-Z0-9_]*\Z")
LOSSES = {
    PredictionKind.REGRESSION: "Mean absolute error",
    PredictionKind.BINARY: "Log loss",
    PredictionKind.MULTICLASS: "Error rate",
}
Value = float | str


def words(name: str) -> str:
    """A column's name in words: KIND_OF_SHOP as kind of shop; what is written otherwise stays."""
    return name.replace("_", " ").lower() if _SHOUTED.match(name) else name.replace("_", " ")


def capital(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def many(noun: str) -> str:
    """The plural of an English noun."""
    if re.search(r"[^aeiou]y\Z", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)\Z", noun) else "s")


def when(time: date | datetime) -> str:
    """A time of the data on an axis; it has no zone."""
    return time.isoformat(timespec="minutes") if isinstance(time, datetime) else time.isoformat()


@dataclass(frozen=True, slots=True)
class Scale:
    """How a prediction's values are written."""

    contract: Prediction

    @property
    def classes(self) -> bool:
        return self.contract.kind is PredictionKind.MULTICLASS

    @property
    def percent(self) -> bool:
        return self.contract.unit.format == "percent"

    @property
    def name(self) -> str:
        """Of an axis: the unit's name with what its numbers are."""
        unit = self.contract.unit
        told = "%" if self.percent else unit.suffix.strip()
        return f"{capital(unit.name)} ({told})" if told else capital(unit.name)

    @property
    def tick(self) -> str:
        """Plotly's format of numbers."""
        return ".0%" if self.percent else ",~r"

    @property
    def hover(self) -> str:
        """Plotly's format of one number, with the suffix outside."""
        return ".1%" if self.percent else ",.4~r"

    @property
    def suffix(self) -> str:
        return (
            "" if self.percent or not self.contract.unit.suffix else f" {self.contract.unit.suffix.strip()}"
        )

    def text(self, value: Value | None, digits: int | None = None) -> str | None:
        """A value with its unit; percentages without digits, numbers with three places that tell."""
        if value is None or isinstance(value, str):
            return value
        if self.percent:
            return f"{round(value * 100, digits or 0) or 0.0:.{digits or 0}f} %"
        return _number(value, digits) + self.suffix

    def actual(self, value: Value | None, digits: int | None = None) -> str | None:
        """What really was, with its unit: of an event, whether it came."""
        if self.contract.kind is PredictionKind.BINARY and value in (0, 1):
            return "yes" if value else "no"
        return self.text(value, digits)

    def difference(self, value: float | None, digits: int | None = None) -> str | None:
        """The difference of two values, with its sign."""
        if value is None:
            return None
        if self.percent:
            written, told = _number(value * 100, digits or 0), " pp"
        else:
            written, told = _number(value, digits), self.suffix
        none = not written.strip("-0.,")
        return ("+" if value > 0 and not none else "") + written + told

    def lean(self, bias: float | None, digits: int | None = None) -> str:
        """On which side of the actual values predictions lie, as far as the digits shown tell."""
        written = self.difference(bias, digits)
        if written is None:
            return ""
        side = {"+": "above", "-": "below"}.get(written[0])
        return f"predicted {side} actual" if side else "neither above nor below actual"

    @property
    def loss_name(self) -> str:
        return LOSSES[self.contract.kind]

    @property
    def loss_axis(self) -> str:
        if self.contract.kind is PredictionKind.REGRESSION:
            told = "percentage points" if self.percent else self.contract.unit.suffix.strip()
            return f"Absolute error ({told})" if told else "Absolute error"
        return f"{self.loss_name} (nats)" if self.contract.kind is PredictionKind.BINARY else "Error rate (%)"

    @property
    def loss_tick(self) -> str:
        if self.contract.kind is PredictionKind.REGRESSION:
            return self.tick
        return ".0%" if self.classes else ",.3~r"

    @property
    def loss_hover(self) -> str:
        if self.contract.kind is PredictionKind.REGRESSION:
            return ".2%" if self.percent else self.hover
        return ".2%" if self.classes else ".4~r"

    def loss(self, value: float | None, digits: int = 1) -> str | None:
        """A loss with its unit."""
        if value is None:
            return None
        if self.contract.kind is PredictionKind.REGRESSION:
            return self.text(value, digits if self.percent else None)
        return f"{value * 100:.{digits}f} %" if self.classes else f"{value:.3f}"


def _number(value: float, digits: int | None) -> str:
    if digits is None:
        size = abs(value)
        digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    # Rounded first: what rounds to nothing has no sign.
    return f"{round(value, digits) or 0.0:,.{digits}f}"
