"""Credits over time, stacked by kind, spoke, environment or warehouse."""

from __future__ import annotations

from decimal import Decimal

from app.charts.days import day_axis
from app.charts.figure import Chart, Table, axis, layout
from services.costs.types import Stack, Trend

KIND_WORDS = {
    "compute": "Attributed compute",
    "idle": "Idle warehouses",
    "serverless": "Serverless tasks",
    "container": "Container services",
    "acceleration": "Query acceleration",
    "cloud": "Cloud services",
    "other": "Other services",
    "rest": "Not explained",
}
_KIND_COLOURS = {
    "compute": "$accent",
    "idle": "$muted/0.45",
    "serverless": "$calm",
    "container": "$good",
    "acceleration": "$accent/0.5",
    "cloud": "$warn/0.7",
    "other": "$good/0.5",
    "rest": "$bad/0.6",
}
_COLOURS = ("$accent", "$good", "$warn", "$calm", "$accent/0.5", "$good/0.5", "$warn/0.5", "$calm/0.5")
_OTHERS, _NOBODY = "$muted/0.6", "$muted/0.3"
_NOBODY_WORDS = {"spoke": "Nobody", "environment": "No environment", "resource": "No warehouse or pool"}


def trend(found: Trend, stack: Stack) -> Chart:
    """Bars by day or week; of what is nobody's and of others the bars are grey. Empty when nothing cost anything."""
    starts = [start.isoformat() for start in found.starts]
    names = [_name(key, stack) for key, _ in found.series]
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": starts,
            "y": [_short(value) for value in values],
            "marker": {"color": _colour(key, place, stack)},
            "hovertemplate": "%{y:.4~g}",
        }
        for place, ((key, values), name) in enumerate(zip(found.series, names, strict=True))
    ]
    totals = [
        sum(amounts, Decimal(0)) for amounts in zip(*(values for _, values in found.series), strict=True)
    ]
    by = {"kind": "kind", "spoke": "spoke", "environment": "environment", "resource": "warehouse or pool"}[
        stack
    ]
    each = "day (UTC)" if found.step_days == 1 else f"{found.step_days} days from the one named (UTC)"
    return Chart(
        id="costs-trend",
        title="Credits over time",
        subtitle=f"By {by}, each bar a {each}" if found.step_days == 1 else f"By {by}, each bar {each}",
        figure={
            "data": traces,
            "layout": layout(
                day_axis(starts),
                axis("Credits", rangemode="tozero"),
                # What is less than nothing goes below.
                barmode="relative",
                bargap=0.25,
                hovermode="x unified",
            ),
        },
        table=Table(
            ("Day" if found.step_days == 1 else "Week from", *names, "All"),
            tuple(
                (start, *(_text(values[number]) for _, values in found.series), _text(totals[number]))
                for number, start in enumerate(starts)
            )
            if traces
            else (),
        ),
        height=300,
        empty=not traces,
    )


def _name(key: str, stack: Stack) -> str:
    if stack == "kind":
        return KIND_WORDS.get(key, key)
    if key == "":
        return _NOBODY_WORDS[stack]
    return "Others" if key == "others" else key


def _colour(key: str, place: int, stack: Stack) -> str:
    if stack == "kind":
        return _KIND_COLOURS.get(key, _OTHERS)
    if key == "":
        return _NOBODY
    return _OTHERS if key == "others" else _COLOURS[place % len(_COLOURS)]


def _short(value: Decimal) -> float:
    """Few digits: a figure is sent with each page."""
    return float(f"{value:.4g}")


def _text(value: Decimal) -> str:
    return f"{value:.3f}" if value else "0"
