"""The axis of days: a tick stands on a whole day, and no day is named twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from app.charts.figure import axis

# With fewer days a line shows no course.
FEWEST_DAYS = 3
_DAY_MILLISECONDS = 86_400_000
_STEPS = (1, 2, 7, 14, 28)


def day_axis(days: Sequence[str], ticks: int = 9) -> dict[str, Any]:
    """The axis for these days, ISO dates in order: at most about `ticks` ticks, on the newest day one of them."""
    step = next((size for size in _STEPS if len(days) <= size * ticks), _STEPS[-1] * 3)
    more: dict[str, Any] = {"tick0": days[-1]} if days else {}
    if len(set(days)) == 1:
        # A bar of the only day would fill the whole width.
        only = date.fromisoformat(days[0])
        more["range"] = [(only + timedelta(days=by)).isoformat() for by in (-4, 4)]
    return axis("Day", type="date", tickformat="%d %b", dtick=step * _DAY_MILLISECONDS, **more)
