"""Places on a map without a map server: true proportions, rings for the distance from the middle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.charts.figure import Chart, Table, axis, layout, near
from app.charts.words import Scale, capital, many, words
from services.predictions.types import PlacedRow, Totals
from spoke_kit.manifest import Prediction

KM_PER_DEGREE = 111.32
# Rings in km: the first with which there are at most six.
_STEPS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def place_map(contract: Prediction, rows: Sequence[PlacedRow], totals: Totals, height: int = 440) -> Chart:
    """Each place where it is, in km from the middle: colour by prediction, area by size; the riskiest on top."""
    scale = Scale(contract)
    ordered = list(reversed(rows))
    latitude = sum(row.latitude for row in rows) / len(rows) if rows else 0.0
    longitude = sum(row.longitude for row in rows) / len(rows) if rows else 0.0
    shrink = math.cos(math.radians(latitude))
    east = [(row.longitude - longitude) * KM_PER_DEGREE * shrink for row in ordered]
    north = [(row.latitude - latitude) * KM_PER_DEGREE for row in ordered]
    reach = max((max(abs(x), abs(y)) for x, y in zip(east, north, strict=True)), default=10.0) or 1.0
    step = next((step for step in _STEPS if reach / step < 6), _STEPS[-1] * 2)
    return Chart(
        id="place-map",
        title=capital(many(contract.entity)),
        subtitle=_subtitle(contract, len(rows), totals),
        figure={
            "data": [_marks(contract, scale, ordered, near(east, reach), near(north, reach))],
            "layout": layout(
                axis("km east", showgrid=False, showline=False, dtick=step),
                axis(
                    "km north",
                    showgrid=False,
                    showline=False,
                    scaleanchor="x",
                    dtick=step,
                    range=[-1.08 * reach, 1.08 * reach],
                ),
                shapes=[_ring(ring * step) for ring in range(1, int(reach / step) + 1)],
                hovermode="closest",
            ),
        },
        table=_table(contract, scale, rows),
        height=height,
        empty=not rows,
    )


def _subtitle(contract: Prediction, shown: int, totals: Totals) -> str:
    size = contract.place.size if contract.place else None
    parts = [f"Colour: predicted {contract.unit.name}."]
    if size:
        parts.append(f"Area: {words(size)}.")
    parts.append("Rings: km from the middle")
    if shown < totals.placed:
        parts.append(f". The {shown:,} riskiest of {totals.placed:,}")
    return " ".join(parts).replace(" . ", ". ")


def _marks(
    contract: Prediction, scale: Scale, rows: Sequence[PlacedRow], east: list[float], north: list[float]
) -> dict[str, Any]:
    # A plain key of one part is sent once, where the page looks for it.
    once = all(len(row.key) == 1 and row.key[0] == _plain(row.key[0]) for row in rows)
    largest = max((row.size or 0.0 for row in rows), default=0.0)
    smaller = 1.0 if len(rows) <= 300 else 0.6
    colour: dict[str, Any] = {"color": "$accent"}
    if not scale.classes:
        colour = {
            "color": [round(float(row.predicted), 3) for row in rows],
            **_colours(contract, [float(row.predicted) for row in rows]),
            "colorbar": {
                "title": {"text": scale.name, "side": "right", "font": {"size": 11, "color": "$muted"}},
                "tickformat": scale.tick,
                "tickfont": {"size": 11, "color": "$muted"},
                "thickness": 10,
                "outlinewidth": 0,
                "len": 0.9,
            },
        }
    return {
        "type": "scatter",
        "mode": "markers",
        "x": east,
        "y": north,
        "text": [_hover(contract, scale, row, not once) for row in rows],
        "customdata": [{"link": link(row.key)} for row in rows],
        "hovertemplate": f"%{{text}}{'<br>id %{customdata.link}' if once else ''}<extra></extra>",
        "marker": {
            "size": [round((5 + 19 * math.sqrt(_share(row.size, largest))) * smaller, 1) for row in rows],
            **colour,
            "opacity": 0.9,
            "line": {"width": 1, "color": "$surface"},
        },
        "showlegend": False,
    }


def link(key: Sequence[str]) -> str:
    """An entity's key as one text, by which a mark finds its row on the page."""
    return "\x1f".join(key)


def _share(size: float | None, largest: float) -> float:
    """A mark's part of the largest area; without sizes all are alike."""
    return max(size or 0.0, 0.0) / largest if largest > 0 else 0.06


def _colours(contract: Prediction, values: Sequence[float]) -> Mapping[str, Any]:
    """What is calm recedes, what is at an alert level stands out."""
    if contract.alert is None:
        low, high = min([0.0, *values]), max(values, default=1.0)
        return _scale([(low, "$calm/0.25"), (high if high > low else low + 1.0, "$calm")])
    # Risk grows with the value, or against it.
    sign = 1.0 if contract.alert.when == "above" else -1.0
    levels = sorted(sign * level for level in contract.alert.levels.values())
    calmest = min((sign * value for value in values), default=0.0)
    bottom = min(0.0 if sign > 0 and calmest > 0 else calmest, levels[0])
    top = levels[-1] + 0.25 * max(levels[-1] - bottom, 1e-6)
    stops = [
        (bottom, "$calm/0.25"),
        (bottom + 0.66 * (levels[0] - bottom), "$calm"),
        (levels[0], "$warn" if len(levels) > 1 else "$bad"),
        (levels[-1], "$bad"),
        (top, "$bad"),
    ]
    return _scale(stops if sign > 0 else [(-at, colour) for at, colour in reversed(stops)])


def _scale(stops: Sequence[tuple[float, str]]) -> Mapping[str, Any]:
    """Plotly's colour scale between the first and the last stop."""
    low, high = stops[0][0], stops[-1][0]
    places = [min(max((at - low) / (high - low), 0.0), 1.0) for at, _ in stops]
    places[0], places[-1] = 0.0, 1.0
    return {
        "cmin": low,
        "cmax": high,
        "colorscale": [[round(place, 4), colour] for place, (_, colour) in zip(places, stops, strict=True)],
    }


def _hover(contract: Prediction, scale: Scale, row: PlacedRow, with_key: bool) -> str:
    told = ", ".join(words(value) for value in row.groups.values() if value)
    size = ""
    if row.size is not None and contract.place and contract.place.size:
        size = f"{words(contract.place.size)} {row.size:,.6g}"
    actual = "" if row.actual is None else f", actual {scale.text(row.actual)}"
    key = f"id {' / '.join(row.key)}" if with_key else ""
    about = ", ".join(part for part in (capital(told), size, key) if part)
    return f"<b>{_plain(row.label)}</b><br>{_plain(about)}<br>predicted {scale.text(row.predicted)}{actual}"


def _plain(text: str) -> str:
    """Text that Plotly takes for no markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _table(contract: Prediction, scale: Scale, rows: Sequence[PlacedRow]) -> Table:
    groups = tuple(contract.groups)
    return Table(
        (
            capital(contract.entity),
            *(capital(words(name)) for name in groups),
            "Latitude",
            "Longitude",
            "Predicted",
            "Actual",
        ),
        tuple(
            (
                row.label,
                *(words(row.groups.get(name) or "") for name in groups),
                f"{row.latitude:.4f}",
                f"{row.longitude:.4f}",
                scale.text(row.predicted),
                scale.text(row.actual),
            )
            for row in rows[:200]
        ),
    )


def _ring(radius: float) -> dict[str, Any]:
    return {
        "type": "circle",
        "layer": "below",
        "x0": -radius,
        "y0": -radius,
        "x1": radius,
        "y1": radius,
        "line": {"color": "$grid", "width": 1},
    }
