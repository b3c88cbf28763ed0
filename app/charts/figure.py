"""What every chart has: a title, axes with units, colours of the theme, and a table of the same numbers.

Figures are plain dictionaries in Plotly's form: importing Plotly's Python package costs most of a second and
nothing of it is needed to write them. A colour "$accent" is looked up in the reader's theme; "$accent/0.2" is
translucent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Trace = dict[str, Any]
Cell = str | float | int | None

FONT = "Inter Variable, system-ui, sans-serif"


@dataclass(frozen=True, slots=True)
class Table:
    """A chart's numbers; `digits` of the numeric columns by header."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure. `height` is fixed in pixels so that drawing it moves nothing on the page."""

    id: str
    title: str
    subtitle: str
    figure: dict[str, Any]
    table: Table
    height: int = 280
    empty: bool = False


def shown(*charts: Chart) -> tuple[Chart, ...]:
    """The charts that have something to show."""
    return tuple(chart for chart in charts if not chart.empty)


def axis(title: str, **more: Any) -> dict[str, Any]:
    """A quiet axis with its title."""
    return {
        "title": {"text": title, "font": {"size": 11, "color": "$muted"}, "standoff": 8},
        "gridcolor": "$grid",
        "linecolor": "$grid",
        "zeroline": False,
        "tickfont": {"size": 11, "color": "$muted"},
        "automargin": True,
        **more,
    }


def layout(x: dict[str, Any], y: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The layout that all charts share; the height comes from the page."""
    return {
        "margin": {"l": 52, "r": 14, "t": 8, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": "$text"},
        "hoverlabel": {
            "bgcolor": "$surface",
            "bordercolor": "$grid",
            "font": {"family": FONT, "color": "$text"},
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "xaxis": x,
        "yaxis": y,
        **more,
    }


def line(name: str, x: Sequence[Any], y: Sequence[float | None], colour: str, **more: Any) -> Trace:
    """A line with small markers, so that a single mark is seen too."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2, **more.pop("line", {})},
        "marker": {"color": colour, "size": 4},
        **more,
    }


def rounded(values: Iterable[float | None], digits: int = 4) -> list[float | None]:
    """Numbers short enough to send."""
    return [None if value is None else round(value, digits) for value in values]


def near(values: Iterable[float], extent: float) -> list[float]:
    """Numbers on an axis of this extent, no finer than a mark can be placed: to less than a 500th of it."""
    digits = min(max(-math.floor(math.log10(extent / 500)), 0), 12) if extent > 0 else 2
    return [round(value, digits) for value in values]


def mean(values: Sequence[float]) -> float | None:
    """The mean, None of nothing."""
    return sum(values) / len(values) if values else None
