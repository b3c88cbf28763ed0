"""Predicted against actual: over time, for one entity, point by point, and how far off by weekday and group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.charts.days import FEWEST_DAYS, day_axis
from app.charts.figure import Chart, Table, axis, layout, line, near, rounded
from app.charts.words import Scale, capital, many, when, words
from services.predictions.types import Cell, EntityHistory, Evaluation, HistoryValue, Part
from spoke_kit.manifest import Grain, Prediction

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def over_time(contract: Prediction, evaluations: Sequence[Evaluation]) -> Chart:
    """Mean predicted and mean actual by evaluated day; empty with too few for a course."""
    scale = Scale(contract)
    days, predicted = _by_day(evaluations, lambda item: item.mean_predicted)
    _, actual = _by_day(evaluations, lambda item: item.mean_actual)
    hover = f"%{{y:{scale.hover}}}{scale.suffix}"
    return Chart(
        id="predicted-over-time",
        title="Predicted against actual",
        subtitle=f"Mean {contract.unit.name} of all {many(contract.entity)}, by day",
        figure={
            "data": [
                line("Actual", days, actual, "$muted", hovertemplate=hover),
                line("Predicted", days, predicted, "$accent", hovertemplate=hover),
            ],
            "layout": layout(
                day_axis(days),
                axis(scale.name, tickformat=scale.tick, rangemode="tozero"),
                hovermode="x unified",
            ),
        },
        table=Table(
            ("Day", "Predicted", "Actual"),
            tuple(
                (day, scale.text(a, 1), scale.text(b, 1))
                for day, a, b in zip(days, predicted, actual, strict=True)
            ),
        ),
        empty=len(days) < FEWEST_DAYS or all(value is None for value in predicted),
    )


def error_over_time(contract: Prediction, evaluations: Sequence[Evaluation]) -> Chart:
    """The loss by day, the model beside the naive prediction; empty with too few for a course."""
    scale = Scale(contract)
    days, model = _by_day(evaluations, lambda item: item.loss)
    _, naive = _by_day(evaluations, lambda item: item.naive_loss)
    hover = f"%{{y:{scale.loss_hover}}}"
    lines = [line("Model", days, model, "$accent", hovertemplate=hover)]
    if any(value is not None for value in naive):
        lines.insert(0, line("Naive", days, naive, "$muted", line={"dash": "dot"}, hovertemplate=hover))
    return Chart(
        id="error-over-time",
        title=f"{scale.loss_name} by day",
        subtitle=_beside(naive),
        figure={
            "data": lines,
            "layout": layout(
                day_axis(days),
                axis(scale.loss_axis, tickformat=scale.loss_tick, rangemode="tozero"),
                hovermode="x unified",
            ),
        },
        table=Table(
            ("Day", "Model", "Naive"),
            tuple((day, scale.loss(a), scale.loss(b)) for day, a, b in zip(days, model, naive, strict=True)),
        ),
        empty=len(days) < FEWEST_DAYS,
    )


def entity_history(history: EntityHistory) -> Chart:
    """One entity's last times, predicted and actual, with the alert levels."""
    contract = history.prediction.contract
    scale = Scale(contract)
    numbers = [value for value in history.values if not isinstance(value.predicted or value.actual, str)]
    times = [when(value.time) for value in numbers]
    hover = f"%{{y:{scale.hover}}}{scale.suffix}"
    levels = sorted(contract.alert.levels.values()) if contract.alert else []
    # The gravest one: the milder ones are told by colour in the list.
    gravest = levels[-1:] if contract.alert and contract.alert.when == "above" else levels[:1]
    told = [capital(words(value)) for value in history.groups.values() if value]
    told += [f"{words(name)} {_feature(value)}" for name, value in history.features.items()]
    hourly = contract.grain is Grain.HOUR
    return Chart(
        id="entity-history",
        title=history.label,
        subtitle=", ".join([*told, f"id {' / '.join(history.key)}"]),
        figure={
            "data": [
                *_interval(times, numbers),
                {
                    "type": "bar",
                    "name": "Actual",
                    "x": times,
                    "y": rounded(_number(value.actual) for value in numbers),
                    "marker": {"color": "$muted/0.35"},
                    "hovertemplate": hover,
                    # An only bar has no neighbour to take its width from: three quarters of a day.
                    **({"width": 64_800_000} if len(times) == 1 and not hourly else {}),
                },
                line(
                    "Predicted",
                    times,
                    rounded(_number(value.predicted) for value in numbers),
                    "$accent",
                    hovertemplate=hover,
                ),
            ],
            "layout": layout(
                axis("Time", type="date", tickformat="%d %b %H:%M") if hourly else day_axis(times),
                axis(scale.name, tickformat=scale.tick, rangemode="tozero"),
                hovermode="x unified",
                bargap=0.25,
                shapes=[_level(level, "$bad") for level in gravest],
            ),
        },
        table=Table(
            ("Time" if hourly else "Day", "Predicted", "Actual"),
            tuple(
                (when(value.time), scale.text(value.predicted, 1), scale.actual(value.actual, 1))
                for value in history.values
            ),
        ),
        empty=not history.values,
    )


def predicted_by_actual(contract: Prediction, cells: Sequence[Cell]) -> Chart:
    """Predictions by what really was; on the line they were right. Each mark stands for those near it."""
    scale = Scale(contract)
    values = [value for cell in cells for value in (cell.predicted, cell.actual)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    low = min(low, 0.0)
    high = high + 0.05 * (high - low or 1.0)
    most = max((cell.n for cell in cells), default=1)
    count = sum(cell.n for cell in cells)
    return Chart(
        id="predicted-by-actual",
        title="Predicted by actual",
        subtitle=f"On the line it was right. {count:,} predictions; near ones are one mark, larger the more it holds",
        figure={
            "data": [
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": near((cell.actual for cell in cells), high - low),
                    "y": near((cell.predicted for cell in cells), high - low),
                    "text": [f"{cell.n:,}" for cell in cells],
                    "hovertemplate": f"%{{text}} near actual %{{x:{scale.hover}}}, predicted "
                    f"%{{y:{scale.hover}}}<extra></extra>",
                    "marker": {
                        "color": "$accent/0.45",
                        "size": [round(5 + 8 * (cell.n / most) ** 0.5, 1) for cell in cells],
                        "line": {"width": 0},
                    },
                    "showlegend": False,
                }
            ],
            "layout": layout(
                axis(
                    f"Actual {scale.name[:1].lower()}{scale.name[1:]}",
                    tickformat=scale.tick,
                    range=[low, high],
                ),
                axis("Predicted", tickformat=scale.tick, range=[low, high]),
                shapes=[diagonal(low, high)],
                hovermode="closest",
            ),
        },
        table=_binned(scale, cells),
        empty=not cells,
    )


def calibration_of_numbers(contract: Prediction, cells: Sequence[Cell]) -> Chart:
    """What came, on average, of predictions of about one size."""
    scale = Scale(contract)
    bins = _tenths(cells)
    x = rounded(predicted for predicted, _, _ in bins)
    y = rounded(actual for _, actual, _ in bins)
    low = min([0.0, *(value for value in (*x, *y) if value is not None)])
    high = max([value for value in (*x, *y) if value is not None], default=1.0)
    return Chart(
        id="calibration",
        title="What came of it",
        subtitle="Mean actual of predictions of about one size; on the line they were right on average",
        figure={
            "data": [
                line(
                    "Mean actual",
                    x,
                    y,
                    "$accent",
                    text=[f"{n:,}" for _, _, n in bins],
                    hovertemplate=f"predicted %{{x:{scale.hover}}}, actual %{{y:{scale.hover}}}, %{{text}} times"
                    "<extra></extra>",
                    showlegend=False,
                )
            ],
            "layout": layout(
                axis(f"Predicted {scale.name[:1].lower()}{scale.name[1:]}", tickformat=scale.tick),
                axis("Mean actual", tickformat=scale.tick),
                shapes=[diagonal(low, high)],
                hovermode="closest",
            ),
        },
        table=Table(
            ("Predicted", "Mean actual", "Predictions"),
            tuple((scale.text(a, 1), scale.text(b, 1), n) for a, b, n in bins),
        ),
        empty=len(bins) < 2,
    )


def errors_by(contract: Prediction, parts: Sequence[Part]) -> tuple[Chart, ...]:
    """The loss by hour or weekday, and by each group, the model beside the naive prediction."""
    order = list(dict.fromkeys(part.by for part in parts))
    return tuple(_errors(contract, by, [part for part in parts if part.by == by]) for by in order)


def diagonal(low: float, high: float) -> dict[str, Any]:
    """Where both axes say the same."""
    return {
        "type": "line",
        "x0": low,
        "y0": low,
        "x1": high,
        "y1": high,
        "line": {"color": "$muted", "width": 1, "dash": "dot"},
    }


def _errors(contract: Prediction, by: str, parts: Sequence[Part]) -> Chart:
    scale = Scale(contract)
    labels = [_label(part) for part in parts]
    model = rounded(part.loss for part in parts)
    naive = rounded(part.naive_loss for part in parts)
    shown = [("Model", model, "$accent")]
    if any(value is not None for value in naive):
        shown.append(("Naive", naive, "$muted/0.35"))
    name = by if by in ("hour", "weekday") else words(by)
    return Chart(
        id=f"error-by-{''.join(letter if letter.isalnum() else '-' for letter in by.lower())}",
        title=f"{scale.loss_name} by {name}",
        subtitle=_beside(naive),
        figure={
            "data": [
                {
                    "type": "bar",
                    "name": title,
                    "x": labels,
                    "y": values,
                    "marker": {"color": colour},
                    "hovertemplate": f"%{{y:{scale.loss_hover}}}",
                }
                for title, values, colour in shown
            ],
            "layout": layout(
                axis(capital(name), type="category"),
                axis(scale.loss_axis, tickformat=scale.loss_tick, rangemode="tozero"),
                barmode="group",
                bargap=0.35,
                hovermode="x unified",
            ),
        },
        table=Table(
            (capital(name), "Model", "Naive", "Bias", "Predictions"),
            tuple(
                (
                    label,
                    scale.loss(part.loss, 2),
                    scale.loss(part.naive_loss, 2),
                    scale.difference(part.bias, 1),
                    part.n,
                )
                for label, part in zip(labels, parts, strict=True)
            ),
        ),
        empty=not parts,
    )


def _label(part: Part) -> str:
    value = part.value
    if value is None:
        return "none"
    if part.by == "weekday" and value.isdigit() and 1 <= int(value) <= 7:
        return WEEKDAYS[int(value) - 1]
    if part.by == "hour" and value.isdigit():
        return f"{int(value):02d}"
    return capital(words(value))


def _beside(naive: Sequence[float | None]) -> str:
    known = any(value is not None for value in naive)
    return "Lower is better; the model beside the naive prediction" if known else "Lower is better"


def _by_day(
    evaluations: Sequence[Evaluation], what: Callable[[Evaluation], float | None]
) -> tuple[list[str], list[float | None]]:
    """Days in order, each with the mean over its model versions."""
    days: dict[str, list[tuple[int, float | None]]] = {}
    for item in sorted(evaluations, key=lambda item: item.day):
        days.setdefault(item.day.isoformat(), []).append((item.n, what(item)))
    values: list[float | None] = []
    for found in days.values():
        known = [(n, value) for n, value in found if value is not None]
        total = sum(n for n, _ in known)
        values.append(sum(n * value for n, value in known) / total if total else None)
    return list(days), rounded(values)


def _interval(times: Sequence[str], values: Sequence[HistoryValue]) -> list[dict[str, Any]]:
    """The band from lower to upper, as two lines of which the second fills to the first."""
    if not any(value.lower is not None for value in values):
        return []
    edge = {"type": "scatter", "mode": "lines", "x": list(times), "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        {**edge, "y": rounded(value.lower for value in values), "showlegend": False},
        {
            **edge,
            "name": "Interval",
            "y": rounded(value.upper for value in values),
            "fill": "tonexty",
            "fillcolor": "$accent/0.15",
        },
    ]


def _tenths(cells: Sequence[Cell]) -> list[tuple[float, float, int]]:
    """Mean predicted, mean actual and number of ten equal steps of the predicted range."""
    if not cells:
        return []
    low = min(cell.predicted for cell in cells)
    width = max(cell.predicted for cell in cells) - low or 1.0
    bins: dict[int, list[Cell]] = {}
    for cell in cells:
        bins.setdefault(min(int((cell.predicted - low) / width * 10), 9), []).append(cell)
    return [_mean(bins[place]) for place in sorted(bins)]


def _mean(cells: Sequence[Cell]) -> tuple[float, float, int]:
    count = sum(cell.n for cell in cells)
    predicted = sum(cell.predicted * cell.n for cell in cells) / count
    return predicted, sum(cell.actual * cell.n for cell in cells) / count, count


def _binned(scale: Scale, cells: Sequence[Cell]) -> Table:
    """Many marks as ten rows: predictions by what really was."""
    rows = []
    low = min((cell.actual for cell in cells), default=0.0)
    width = max((cell.actual for cell in cells), default=1.0) - low or 1.0
    bins: dict[int, list[Cell]] = {}
    for cell in cells:
        bins.setdefault(min(int((cell.actual - low) / width * 10), 9), []).append(cell)
    for place in sorted(bins):
        predicted, actual, count = _mean(bins[place])
        rows.append((scale.text(actual, 1), scale.text(predicted, 1), count))
    return Table(("Mean actual", "Mean predicted", "Predictions"), tuple(rows))


def _number(value: float | str | None) -> float | None:
    return None if isinstance(value, str) else value


def _feature(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


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
