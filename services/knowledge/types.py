"""What is known of the account, in parts: ``hub``, ``simulation``, and ``spoke:<name>:<ENV>`` for each spoke.

Functions (`services.knowledge`, class `Knowledge`):

- `refresh(part: str | None = None, reach: Reach = "all", context=None) -> tuple[Refreshed, ...]`: asks the account
  anew for a part, or for all; raises nothing of the account's.
- `request(parts: Collection[str] = (), wait: float = 0) -> None`: the same in the background, for some parts or for
  all, again and again until the account answers.
- `as_of(part: str) -> datetime | None`: when it was read as a whole.
- `parts() -> tuple[KnownPart, ...]`: every part that was tried, by name.
- `errors() -> Mapping[str, str]`: why the last reading of a part did not succeed.
- `outlook(parts=None) -> Outlook`: whether anything is being read, when it will be, and what the last try said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.core.errors import SnowflakeFailed, Unavailable
from services.snowflake.answers import Rows

#: ``free``: only what needs no warehouse; ``all``: SELECTs, too.
Reach = Literal["free", "all"]
HUB, SIMULATION = "hub", "simulation"


def spoke_part(spoke: str, environment: str) -> str:
    """The part of a spoke in an environment."""
    return f"spoke:{spoke}:{environment}"


class NotYetKnown(Unavailable):
    """What is looked at was never read from the account."""

    code, title = "not_yet_known", "The account has not been read yet"

    def __init__(self) -> None:
        super().__init__(
            "What this shows was not read from the account yet",
            hint="It is read after each change, on a schedule and on request. Try again in a moment.",
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error: what was asked about is not there."""

    message: str
    hint: str | None
    detail: dict[str, Any]

    def error(self) -> SnowflakeFailed:
        return SnowflakeFailed(self.message, hint=self.hint, detail=dict(self.detail))


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one statement, or why there are none. ``key`` is a hash of the statement and its values."""

    key: str
    statement: str
    content: Rows | Refusal
    as_of: datetime


@dataclass(frozen=True, slots=True)
class KnownPart:
    """When a part was read as a whole, when that was tried last, and why it did not succeed then."""

    part: str
    as_of: datetime | None
    tried_at: datetime
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One reading of a part: statements that were sent, seconds, and why it did not succeed."""

    part: str
    statements: int
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes: whether somebody reads now, when the next try is, and what the last one failed with."""

    reading: bool
    next_at: datetime | None = None
    tried_at: datetime | None = None
    error: str | None = None


@dataclass
class Look:
    """What one who looks was shown: when the oldest and the last answer are of, and the parts that they are of."""

    as_of: datetime | None = None
    last: datetime | None = None
    parts: set[str] = field(default_factory=set)

    def saw(self, as_of: datetime, part: str | None = None) -> None:
        """Something of this age was shown."""
        self.last = as_of
        if self.as_of is None or as_of < self.as_of:
            self.as_of = as_of
        if part is not None:
            self.parts.add(part)

    def saw_as(self, other: Look) -> None:
        """What another one saw was shown."""
        for moment in (other.as_of, other.last):
            if moment is not None:
                self.saw(moment)
        self.parts |= other.parts
