"""How often an account is asked what goes on there: each question costs on a live one, none on the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds.

    ``first`` and ``longest`` are the pauses between two questions of who follows something, ``patience`` how
    long the account may take to tell of what it was asked for, ``ending`` how long what was cancelled may
    take to end.
    """

    first: float
    longest: float
    patience: float
    ending: float

    def pauses(self) -> Iterator[float]:
        """The pauses, one after the other, growing."""
        pause = self.first
        while True:
            yield pause
            pause = min(pause * 1.3, self.longest)

    def waits(self, seconds: float) -> Iterator[float]:
        """As many of them as fit into ``seconds``."""
        for pause in self.pauses():
            yield pause
            seconds -= pause
            if seconds <= 0:
                return


EMBEDDED = Pace(first=0.15, longest=1.0, patience=30.0, ending=600.0)
LIVE = Pace(first=2.0, longest=5.0, patience=120.0, ending=600.0)
