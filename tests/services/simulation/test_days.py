"""What several days consist of."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from services.core.errors import Conflict
from services.simulation.days import Days, SeveralDays
from services.simulation.repository import EVENING, MORNING

FIRST = date(2025, 7, 1)


class Context:
    """Notes what it is to run; the forecast of the first day fails."""

    def __init__(self) -> None:
        self.children: list[tuple[str, dict[str, Any]]] = []

    def result_of(self, step: str) -> dict[str, Any]:
        return {"days": [(FIRST + timedelta(count)).isoformat() for count in range(2)]}

    def run_child(self, kind: str, params: dict[str, Any], title: str) -> None:
        self.children.append((kind, params))
        if kind == "inference.run" and params["days"] == [FIRST.isoformat()]:
            raise Conflict("The data is late")

    def progress(self, fraction: float, text: str) -> None: ...

    def log(self, text: str, level: str = "info") -> None: ...


def test_each_day_is_forecast_itself_whatever_is_pending() -> None:
    contract = SimpleNamespace(evaluate=None)
    subject = SimpleNamespace(
        scope=SimpleNamespace(spoke="tides", environment="DEV"),
        name="LEVEL",
        graph="SCORE",
        contract=contract,
    )
    before = FIRST - timedelta(1)
    simulation: Any = SimpleNamespace(
        data=SimpleNamespace(last_phases=lambda: {MORNING: before, EVENING: before}),
        subjects=lambda: [subject],
        can_predict=lambda one: True,
    )
    context: Any = Context()
    result = SeveralDays(simulation).days(context, Days(days=2))
    target = {"spoke": "tides", "environment": "DEV", "graph": "SCORE", "wait": True}
    expected = []
    for day in ("2025-07-01", "2025-07-02"):
        expected += [
            ("data.morning", {"day": day}),
            ("inference.run", {**target, "days": [day]}),
            ("data.evening", {"day": day}),
        ]
    assert context.children == expected
    assert result["failed"] == [
        {"day": "2025-07-01", "spoke": "tides", "kind": "inference.run", "why": "The data is late"}
    ]
