"""Runs over time: by day and state, and how long each took against what is usual."""

from __future__ import annotations

from collections.abc import Sequence

from app.charts.days import day_axis
from app.charts.figure import Chart, Table, Trace, axis, layout, rounded
from services.health.types import DayOfRuns, GraphRunRow, GraphStatistics

# A figure is at most 60 KB.
MOST_POINTS = 120
_SERIES = (
    ("succeeded", "SUCCEEDED", "$good"),
    ("failed", "FAILED", "$bad"),
    ("cancelled", "CANCELLED", "$warn"),
    ("skipped", "SKIPPED", "$muted"),
    ("other", "EXECUTING", "$calm"),
)
_COLOURS = {"SUCCEEDED": "$accent", "CANCELLED": "$warn", "SKIPPED": "$muted"}


def by_day(days: Sequence[DayOfRuns]) -> Chart:
    """Runs of each day (UTC), stacked by what became of them."""
    names = [day.day.isoformat() for day in days]
    data: list[Trace] = []
    for attribute, word, colour in _SERIES:
        counts = [getattr(day, attribute) for day in days]
        if any(counts):
            data.append(
                {
                    "type": "bar", "name": word, "x": names, "y": counts, "marker": {"color": colour},
                    "hovertemplate": f"%{{x|%d %b}}: %{{y:,}} {word}<extra></extra>",
                }
            )  # fmt: skip
    x, y = day_axis(names), axis("Runs", rangemode="tozero", tickformat=",d")
    figure = {"data": data, "layout": layout(x, y, barmode="stack", bargap=0.25)}
    rows = tuple(
        (name, day.succeeded, day.failed, day.cancelled, day.skipped, day.other)
        for name, day in zip(names, days, strict=True)
    )
    headers = ("Day", "Succeeded", "Failed", "Cancelled", "Skipped", "Going on")
    return Chart(
        "runs-by-day", "Runs by day", "Attempts by the day they were due (UTC), and what became of them",
        figure, Table(headers, rows), 190, not data,
    )  # fmt: skip


def durations(runs: Sequence[GraphRunRow], statistics: GraphStatistics | None) -> Chart:
    """How long a graph's runs took and waited, oldest first, over the band of what is usual."""
    ended = [run for run in runs if run.run_seconds is not None and run.state != "SKIPPED"][-MOST_POINTS:]
    times = [run.scheduled_at.isoformat(timespec="seconds").removesuffix("+00:00") for run in ended]
    took = rounded((run.run_seconds for run in ended), 1)
    waited = rounded((run.queue_seconds for run in ended), 1)
    data: list[Trace] = []
    if statistics is not None and statistics.baseline_p50 is not None and times:
        ends = [times[0], times[-1]]
        for value, name in ((statistics.baseline_p50, "p50 before"), (statistics.baseline_p95, "p95 before")):
            level = round(value or 0.0, 1)
            data.append(
                {
                    "type": "scatter", "mode": "lines", "name": name, "x": ends, "y": [level, level],
                    "line": {"color": "$muted", "width": 1, "dash": "dot"},
                    "hovertemplate": f"{name}: {level} s<extra></extra>",
                    **({"fill": "tonexty", "fillcolor": "$muted/0.1"} if data else {}),
                }
            )  # fmt: skip
    colours = [
        "$bad" if run.state.startswith("FAILED") else _COLOURS.get(run.state, "$accent") for run in ended
    ]
    data.append(
        {
            "type": "scatter", "mode": "lines+markers", "name": "Run", "x": times, "y": took,
            "line": {"color": "$accent", "width": 1.5}, "marker": {"color": colours, "size": 6},
            "hovertemplate": "%{x}: ran %{y:,} s<extra></extra>",
        }
    )  # fmt: skip
    data.append(
        {
            "type": "scatter", "mode": "lines", "name": "Queue", "x": times, "y": waited,
            "line": {"color": "$warn", "width": 1.5}, "hovertemplate": "%{x}: waited %{y:,} s<extra></extra>",
        }
    )  # fmt: skip
    x = axis("Due (UTC)", type="date")
    figure = {"data": data, "layout": layout(x, axis("Seconds", rangemode="tozero"))}
    rows = tuple(
        (time, run.state, ran, wait) for time, run, ran, wait in zip(times, ended, took, waited, strict=True)
    )
    told = "Seconds by run; the band is p50 to p95 of the four weeks before the last"
    return Chart(
        "durations", "How long runs take", told, figure, Table(("Due", "State", "Ran (s)", "Waited (s)"), rows), 260,
        len(ended) < 2,
    )  # fmt: skip
