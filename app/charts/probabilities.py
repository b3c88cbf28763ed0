"""How good probabilities and classes were: calibration, ROC, precision and recall, confusion, lift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.charts.figure import Chart, Table, axis, layout, line, rounded
from app.charts.forecasts import diagonal
from services.predictions.types import ClassPair, Confusion, ScoreBin

_SHARE = {"tickformat": ".0%", "range": [0, 1.02]}
# Classes that are drawn; the table has them all.
_MOST_CLASSES = 20


def calibration(bins: Sequence[ScoreBin]) -> Chart:
    """How often it came true, of predictions of about one probability."""
    rows = [one for one in bins if one.weight]
    x, y = rounded(one.predicted for one in rows), rounded(one.positive / one.weight for one in rows)
    return Chart(
        id="calibration",
        title="Calibration",
        subtitle="How often it came true, by predicted probability; on the line the probabilities are honest",
        figure={
            "data": [
                line(
                    "Came true",
                    x,
                    y,
                    "$accent",
                    text=[f"{one.n:,}" for one in rows],
                    hovertemplate="predicted %{x:.1%}, came true %{y:.1%}, of %{text}<extra></extra>",
                    showlegend=False,
                )
            ],
            "layout": layout(
                axis("Predicted probability (%)", **_SHARE),
                axis("Came true (%)", **_SHARE),
                shapes=[diagonal(0, 1)],
                hovermode="closest",
            ),
        },
        table=Table(
            ("Predicted", "Came true", "Predictions"),
            tuple((_percent(a), _percent(b), one.n) for one, a, b in zip(rows, x, y, strict=True)),
        ),
        empty=not rows,
    )


def roc(bins: Sequence[ScoreBin], confusion: Confusion | None) -> Chart:
    """True against false positive rate over all thresholds, the chosen one marked."""
    ones, zeros = sum(one.positive for one in bins), sum(one.weight - one.positive for one in bins)
    x, y, at = [0.0], [0.0], [1.0]
    for one in bins:
        x.append(x[-1] + ((one.weight - one.positive) / zeros if zeros else 0.0))
        y.append(y[-1] + (one.positive / ones if ones else 0.0))
        at.append(one.low)
    area = sum((right - left) * (a + b) / 2 for left, right, a, b in zip(x, x[1:], y, y[1:], strict=False))
    marked = None
    if confusion is not None and ones and zeros:
        marked = (confusion.false_positive / zeros, confusion.true_positive / ones)
    return _curve(
        "roc",
        "ROC curve",
        f"True against false alarms over all thresholds; area {area:.3f}, 0.5 is a coin",
        ("False positive rate (%)", "True positive rate (%)"),
        (x, y, at),
        marked,
        confusion,
        [diagonal(0, 1)],
        empty=not ones or not zeros,
    )


def precision_recall(bins: Sequence[ScoreBin], confusion: Confusion | None) -> Chart:
    """Precision against recall over all thresholds, the chosen one marked."""
    ones, total = sum(one.positive for one in bins), sum(one.weight for one in bins)
    x: list[float] = []
    y: list[float] = []
    at: list[float] = []
    true = said = 0.0
    for one in bins:
        true, said = true + one.positive, said + one.weight
        if said:
            x.append(true / ones if ones else 0.0)
            y.append(true / said)
            at.append(one.low)
    base = ones / total if total else 0.0
    marked = None
    if confusion is not None and ones and confusion.true_positive + confusion.false_positive:
        precision = confusion.true_positive / (confusion.true_positive + confusion.false_positive)
        marked = (confusion.true_positive / ones, precision)
    return _curve(
        "precision-recall",
        "Precision and recall",
        f"Of those warned of, how many came true; of those that came true, how many were warned of. Dotted: {base:.1%}"
        " come true anyway",
        ("Recall (%)", "Precision (%)"),
        (x, y, at),
        marked,
        confusion,
        [{**diagonal(0, 1), "y0": base, "y1": base}],
        empty=not ones,
    )


def lift(bins: Sequence[ScoreBin]) -> Chart:
    """What share of all that came true is among the highest tenths of the predictions."""
    count, ones = sum(one.n for one in bins), sum(one.positive for one in bins)
    total = sum(one.weight for one in bins)
    x, y = [0.0], [0.0]
    seen, found, edge = 0.0, 0.0, 0.1
    rows: list[tuple[str, str | None, str | None]] = []
    for place, one in enumerate(bins):
        seen, found = seen + one.weight, found + one.positive
        last = place == len(bins) - 1
        if total and ones and (seen / total >= edge - 1e-9 or last):
            x.append(seen / total)
            y.append(found / ones)
            rows.append(
                (f"{seen / total:.0%}", _percent(found / ones), f"{found / ones / (seen / total):.2f} ×")
            )
            while edge <= seen / total + 1e-9:
                edge += 0.1
    return Chart(
        id="lift",
        title="Gains",
        subtitle="Share of all that came true among the highest predictions, tenth by tenth",
        figure={
            "data": [
                line(
                    "Found",
                    rounded(x),
                    rounded(y),
                    "$accent",
                    hovertemplate="highest %{x:.0%}: %{y:.1%} of all<extra></extra>",
                    showlegend=False,
                )
            ],
            "layout": layout(
                axis("Highest predictions (%)", **_SHARE),
                axis("Of all that came true (%)", **_SHARE),
                shapes=[diagonal(0, 1)],
                hovermode="closest",
            ),
        },
        table=Table(("Highest", "Found", "Lift"), tuple(rows)),
        empty=not count or not ones,
    )


def class_pairs(pairs: Sequence[ClassPair]) -> Chart:
    """Actual by predicted class: the larger the mark, the more often."""
    counts: dict[str, int] = {}
    for pair in pairs:
        counts[pair.actual] = counts.get(pair.actual, 0) + pair.n
    names = sorted(counts, key=lambda name: (-counts[name], name))[:_MOST_CLASSES]
    shown = [pair for pair in pairs if pair.actual in names]
    most = max((pair.n for pair in shown), default=1)
    return Chart(
        id="classes",
        title="Predicted by actual class",
        subtitle="The larger the mark, the more predictions; green were right"
        + (f". The {_MOST_CLASSES} most frequent classes" if len(counts) > _MOST_CLASSES else ""),
        figure={
            "data": [
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [pair.predicted for pair in shown],
                    "y": [pair.actual for pair in shown],
                    "text": [f"{pair.n:,}" for pair in shown],
                    "hovertemplate": "actual %{y}, predicted %{x}: %{text}<extra></extra>",
                    "marker": {
                        "size": [round(5 + 25 * (pair.n / most) ** 0.5, 1) for pair in shown],
                        "color": ["$good" if pair.actual == pair.predicted else "$bad" for pair in shown],
                        "opacity": 0.75,
                    },
                    "showlegend": False,
                }
            ],
            "layout": layout(
                axis("Predicted", type="category"), axis("Actual", type="category"), hovermode="closest"
            ),
        },
        table=Table(
            ("Actual", "Predicted", "Predictions"), tuple((p.actual, p.predicted, p.n) for p in pairs)
        ),
        empty=not pairs,
    )


def _curve(
    chart_id: str,
    title: str,
    subtitle: str,
    axes: tuple[str, str],
    points: tuple[Sequence[float], Sequence[float], Sequence[float]],
    marked: tuple[float, float] | None,
    confusion: Confusion | None,
    shapes: list[dict[str, Any]],
    *,
    empty: bool,
) -> Chart:
    x, y, at = points
    data = [
        {
            **line(
                "All thresholds",
                rounded(x),
                rounded(y),
                "$accent",
                text=[f"{value:.3f}" for value in at],
                hovertemplate="threshold %{text}: %{x:.1%}, %{y:.1%}<extra></extra>",
            ),
            "mode": "lines",
        }
    ]
    if marked is not None and confusion is not None:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"Threshold {confusion.threshold:g}",
                "x": [round(marked[0], 4)],
                "y": [round(marked[1], 4)],
                "marker": {"size": 11, "color": "$warn", "line": {"width": 2, "color": "$surface"}},
                "hovertemplate": "%{x:.1%}, %{y:.1%}",
            }
        )
    return Chart(
        id=chart_id,
        title=title,
        subtitle=subtitle,
        figure={
            "data": data,
            "layout": layout(
                axis(axes[0], **_SHARE), axis(axes[1], **_SHARE), shapes=shapes, hovermode="closest"
            ),
        },
        table=Table(
            ("Threshold", axes[0], axes[1]),
            tuple((f"{c:.3f}", _percent(a), _percent(b)) for a, b, c in zip(x, y, at, strict=True)),
        ),
        empty=empty,
    )


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{value:.1%}".replace("%", " %")
