"""The points on a map without a map server: true proportions, rings for the distance from the centre."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from app.charts.figure import Chart, Table, axis, layout
from app.charts.points import kind_of_point
from services.predictions.types import PredictionRow

KM_PER_DEGREE = 111.32
# Empty points recede, full ones stand out; 0.85 is where an alert begins.
SCALE = [[0.0, "$calm/0.25"], [0.45, "$calm"], [0.68, "$warn"], [0.8, "$bad"], [1.0, "$bad"]]


def city_map(rows: Sequence[PredictionRow], height: int = 440) -> Chart:
    """Each point where it is, in km from the middle: colour by forecast fill rate, area by capacity."""
    ordered = sorted(rows, key=lambda row: row.predicted_fill_rate)
    latitude = sum(row.latitude for row in rows) / len(rows) if rows else 0.0
    longitude = sum(row.longitude for row in rows) / len(rows) if rows else 0.0
    shrink = math.cos(math.radians(latitude))
    east = [round((row.longitude - longitude) * KM_PER_DEGREE * shrink, 2) for row in ordered]
    north = [round((row.latitude - latitude) * KM_PER_DEGREE, 2) for row in ordered]
    reach = max((max(abs(x), abs(y)) for x, y in zip(east, north, strict=True)), default=10.0)
    step = 5 if reach < 30 else 10
    return Chart(
        id="city-map",
        title="The city",
        subtitle="Colour: forecast fill rate. Area: capacity. Rings: km from the middle of the network",
        figure={
            "data": [_points(ordered, east, north)],
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
                shapes=[_ring(radius) for radius in range(step, int(reach) + 1, step)],
                hovermode="closest",
            ),
        },
        table=Table(
            ("Point", "Kind", "Latitude", "Longitude", "Capacity", "Forecast", "Actual"),
            tuple(
                (
                    row.name,
                    kind_of_point(row.type),
                    f"{row.latitude:.4f}",
                    f"{row.longitude:.4f}",
                    row.capacity,
                    f"{row.predicted_fill_rate:.0%}",
                    None if row.actual_fill_rate is None else f"{row.actual_fill_rate:.0%}",
                )
                for row in reversed(ordered)
            ),
        ),
        height=height,
        empty=not rows,
    )


def _points(rows: Sequence[PredictionRow], east: list[float], north: list[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": east,
        "y": north,
        "text": [
            f"<b>{row.name}</b><br>{kind_of_point(row.type).capitalize()} for {row.capacity} parcels a day, "
            f"id {row.pudo_id}<br>forecast {row.predicted_fill_rate:.0%}"
            + ("" if row.actual_fill_rate is None else f", actual {row.actual_fill_rate:.0%}")
            for row in rows
        ],
        "customdata": [{"link": row.pudo_id} for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": [round(5 + 1.75 * math.sqrt(row.capacity), 1) for row in rows],
            "color": [round(row.predicted_fill_rate, 3) for row in rows],
            "cmin": 0,
            "cmax": 1.25,
            "colorscale": SCALE,
            "opacity": 0.9,
            "line": {"width": 1, "color": "$surface"},
            "colorbar": {
                "title": {"text": "Fill rate (%)", "side": "right", "font": {"size": 11, "color": "$muted"}},
                "tickformat": ".0%",
                "tickfont": {"size": 11, "color": "$muted"},
                "thickness": 10,
                "outlinewidth": 0,
                "len": 0.9,
            },
        },
        "showlegend": False,
    }


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
