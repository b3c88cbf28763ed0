"""Forecast against actual: over time, point by point, and how far off by weekday and by kind of point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.charts.days import FEWEST_DAYS, day_axis
from app.charts.figure import Chart, Table, axis, layout, line, mean, rounded
from app.charts.points import kind_of_point
from services.predictions.types import Evaluation, PointHistory, ScoredPrediction

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def over_time(evaluations: Sequence[Evaluation]) -> Chart:
    """The network's mean fill rate, forecast and actual, by evaluated day; empty with too few for a course."""
    rows = sorted(evaluations, key=lambda item: item.day)
    days = [item.day.isoformat() for item in rows]
    predicted = rounded(item.mean_predicted for item in rows)
    actual = rounded(item.mean_actual for item in rows)
    return Chart(
        id="forecast-over-time",
        title="Forecast against actual",
        subtitle="Mean fill rate of all points, by day",
        figure={
            "data": [
                line("Actual", days, actual, "$muted", hovertemplate="%{y:.1%}"),
                line("Forecast", days, predicted, "$accent", hovertemplate="%{y:.1%}"),
            ],
            "layout": layout(
                day_axis(days),
                axis("Fill rate (% of capacity)", tickformat=".0%", rangemode="tozero"),
                hovermode="x unified",
            ),
        },
        table=Table(
            ("Day", "Forecast", "Actual"),
            tuple((a, _pct(b), _pct(c)) for a, b, c in zip(days, predicted, actual, strict=True)),
        ),
        empty=len(rows) < FEWEST_DAYS,
    )


def error_over_time(evaluations: Sequence[Evaluation]) -> Chart:
    """Mean absolute error by day, the model beside the naive forecast; empty with too few for a course."""
    rows = sorted(evaluations, key=lambda item: item.day)
    days = [item.day.isoformat() for item in rows]
    model = rounded(item.mae for item in rows)
    naive = rounded(item.naive_mae for item in rows)
    return Chart(
        id="error-over-time",
        title="Error by day",
        subtitle="Mean absolute error, the model beside the naive forecast",
        figure={
            "data": [
                line("Naive", days, naive, "$muted", line={"dash": "dot"}, hovertemplate="%{y:.2%}"),
                line("Model", days, model, "$accent", hovertemplate="%{y:.2%}"),
            ],
            "layout": layout(
                day_axis(days),
                axis("Absolute error (% of capacity)", tickformat=".0%", rangemode="tozero"),
                hovermode="x unified",
            ),
        },
        table=Table(
            ("Day", "Model", "Naive"),
            tuple((a, _pct(b), _pct(c)) for a, b, c in zip(days, model, naive, strict=True)),
        ),
        empty=len(rows) < FEWEST_DAYS,
    )


def point_history(history: PointHistory) -> Chart:
    """One point's last days, forecast and actual, with the line where it is full."""
    days = [item.day.isoformat() for item in history.days]
    predicted = rounded(item.predicted_fill_rate for item in history.days)
    actual = rounded(item.actual_fill_rate for item in history.days)
    kind = kind_of_point(history.point.type).capitalize()
    return Chart(
        id="point-history",
        title=history.point.name,
        subtitle=f"{kind} for {history.point.capacity} parcels a day, id {history.point.pudo_id}",
        figure={
            "data": [
                {
                    "type": "bar",
                    "name": "Actual",
                    "x": days,
                    "y": actual,
                    "marker": {"color": "$muted/0.35"},
                    "hovertemplate": "%{y:.0%}",
                },
                line("Forecast", days, predicted, "$accent", hovertemplate="%{y:.0%}"),
            ],
            "layout": layout(
                day_axis(days),
                axis("Fill rate (% of capacity)", tickformat=".0%", rangemode="tozero"),
                hovermode="x unified",
                bargap=0.25,
                shapes=[_level(1.0, "$bad")],
            ),
        },
        table=Table(
            ("Day", "Forecast", "Actual"),
            tuple((a, _pct(b), _pct(c)) for a, b, c in zip(days, predicted, actual, strict=True)),
        ),
        empty=not days,
    )


def predicted_vs_actual(scored: Sequence[ScoredPrediction]) -> Chart:
    """Each forecast against its actual; on the diagonal it was right."""
    top = max((max(item.predicted_fill_rate, item.actual_fill_rate) for item in scored), default=1.0)
    top = max(1.0, round(top + 0.05, 1))
    return Chart(
        id="predicted-vs-actual",
        title="Forecast by actual",
        subtitle="On the line the forecast was right",
        figure={
            "data": [
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": rounded((item.actual_fill_rate for item in scored), 3),
                    "y": rounded((item.predicted_fill_rate for item in scored), 3),
                    "text": [f"{item.pudo_id}, {item.day.isoformat()}" for item in scored],
                    "hovertemplate": "%{text}<br>actual %{x:.0%}, forecast %{y:.0%}<extra></extra>",
                    "marker": {"color": "$accent/0.35", "size": 5, "line": {"width": 0}},
                    "showlegend": False,
                }
            ],
            "layout": layout(
                axis("Actual fill rate (%)", tickformat=".0%", range=[0, top], dtick=0.25),
                axis("Forecast fill rate (%)", tickformat=".0%", range=[0, top], dtick=0.25),
                shapes=[
                    {
                        "type": "line",
                        "x0": 0,
                        "y0": 0,
                        "x1": top,
                        "y1": top,
                        "line": {"color": "$muted", "width": 1, "dash": "dot"},
                    }
                ],
            ),
        },
        table=_binned(scored),
        empty=not scored,
    )


def error_by_weekday(scored: Sequence[ScoredPrediction]) -> Chart:
    """Mean absolute error by day of the week."""
    return _grouped(
        "error-by-weekday",
        "Error by weekday",
        "Weekday",
        scored,
        lambda item: WEEKDAYS[item.day.weekday()],
        WEEKDAYS,
    )


def error_by_type(scored: Sequence[ScoredPrediction]) -> Chart:
    """Mean absolute error by kind of point."""
    kinds = tuple(sorted({item.type for item in scored}))
    return _grouped(
        "error-by-type", "Error by kind of point", "Kind of point", scored, lambda item: item.type, kinds
    )


def _grouped(
    chart_id: str,
    title: str,
    group_title: str,
    scored: Sequence[ScoredPrediction],
    group: Callable[[ScoredPrediction], str],
    order: Sequence[str],
) -> Chart:
    model: dict[str, list[float]] = {name: [] for name in order}
    naive: dict[str, list[float]] = {name: [] for name in order}
    for item in scored:
        model[group(item)].append(abs(item.predicted_fill_rate - item.actual_fill_rate))
        if item.naive_fill_rate is not None:
            naive[group(item)].append(abs(item.naive_fill_rate - item.actual_fill_rate))
    labels = [kind_of_point(name).capitalize() for name in order]
    model_mean = rounded(mean(model[name]) for name in order)
    naive_mean = rounded(mean(naive[name]) for name in order)
    bars: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": name,
            "x": labels,
            "y": y,
            "marker": {"color": colour},
            "hovertemplate": "%{y:.2%}",
        }
        for name, y, colour in (("Model", model_mean, "$accent"), ("Naive", naive_mean, "$muted/0.35"))
    ]
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Mean absolute error, the model beside the naive forecast",
        figure={
            "data": bars,
            "layout": layout(
                axis(group_title),
                axis("Absolute error (% of capacity)", tickformat=".0%", rangemode="tozero"),
                barmode="group",
                bargap=0.35,
                hovermode="x unified",
            ),
        },
        table=Table(
            (group_title, "Model", "Naive", "Forecasts"),
            tuple(
                (label, _pct(a, 2), _pct(b, 2), len(model[name]))
                for name, label, a, b in zip(order, labels, model_mean, naive_mean, strict=True)
            ),
        ),
        empty=not scored,
    )


def _binned(scored: Sequence[ScoredPrediction]) -> Table:
    """Thousands of marks as ten rows: forecasts by what really was."""
    bins: dict[int, list[ScoredPrediction]] = {}
    for item in scored:
        bins.setdefault(int(item.actual_fill_rate * 10), []).append(item)
    rows = []
    for low in sorted(bins):
        items = bins[low]
        rows.append(
            (
                f"{low * 10} to {low * 10 + 10} %",
                _pct(mean([item.predicted_fill_rate for item in items])),
                _pct(mean([item.actual_fill_rate for item in items])),
                len(items),
            )
        )
    return Table(("Actual fill rate", "Mean forecast", "Mean actual", "Forecasts"), tuple(rows))


def _level(at: float, colour: str) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": at,
        "y1": at,
        "line": {"color": colour, "width": 1, "dash": "dot"},
    }


def _pct(value: float | None, digits: int = 1) -> str | None:
    return None if value is None else f"{value * 100:.{digits}f} %"
