"""Durations as TARGET_LAG takes them: `'1 hour'`, `'2 minutes'`, `'90s'`, `'1d'`.

https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table (TARGET_LAG)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_SHORT = {
    "s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "hr": "hour", "d": "day"
}  # fmt: skip
_DURATION = re.compile(r"\s*(\d{1,10})\s*([a-z]+)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Duration:
    number: int
    unit: str

    @classmethod
    def of(cls, text: str) -> Duration | None:
        """None for what is no duration. The unit may be short, long, singular or plural, next to the number or not."""
        found = _DURATION.match(text)
        if found is None:
            return None
        word = found.group(2).lower()
        unit = _SHORT.get(word) or _SHORT.get(word.removesuffix("s")) or word.removesuffix("s")
        return cls(int(found.group(1)), unit) if unit in _SECONDS else None

    @property
    def seconds(self) -> int:
        return self.number * _SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"
