"""A model's registered metrics over its versions."""

from __future__ import annotations

from collections.abc import Sequence

from app.charts.figure import Chart, Table, axis, layout, line, rounded
from services.registry.types import ModelVersion


def metrics_over_versions(versions: Sequence[ModelVersion]) -> Chart:
    """The test error of each version beside its naive forecast, oldest first; the default one is ringed."""
    rows = sorted(versions, key=lambda item: item.created_at)
    names = [item.version for item in rows]
    mae = rounded(item.metrics.get("mae") for item in rows)
    rmse = rounded(item.metrics.get("rmse") for item in rows)
    naive = rounded(item.metrics.get("naive_mae") for item in rows)
    default = [
        (item.version, value)
        for item, value in zip(rows, mae, strict=True)
        if item.is_default and value is not None
    ]
    return Chart(
        id="metrics-over-versions",
        title="Test metrics over versions",
        subtitle="On each version's own test weeks; lower is better",
        figure={
            "data": [
                line("Naive MAE", names, naive, "$muted", line={"dash": "dot"}, hovertemplate="%{y:.2%}"),
                line("RMSE", names, rmse, "$accent/0.4", hovertemplate="%{y:.2%}"),
                line("MAE", names, mae, "$accent", hovertemplate="%{y:.2%}"),
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": "Default",
                    "x": [name for name, _ in default],
                    "y": [value for _, value in default],
                    "marker": {
                        "symbol": "circle-open",
                        "size": 14,
                        "color": "$accent",
                        "line": {"width": 2, "color": "$accent"},
                    },
                    "hoverinfo": "skip",
                },
            ],
            "layout": layout(
                axis("Version", type="category"),
                axis("Error (% of capacity)", tickformat=".0%", rangemode="tozero"),
                hovermode="x unified",
            ),
        },
        table=Table(
            ("Version", "MAE", "RMSE", "Naive MAE"),
            tuple(
                (name, *(None if v is None else f"{v * 100:.2f} %" for v in (a, b, c)))
                for name, a, b, c in zip(names, mae, rmse, naive, strict=True)
            ),
        ),
        height=240,
        empty=not rows,
    )
