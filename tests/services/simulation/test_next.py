"""The button for the next step, pressed while something is under way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.core.errors import Conflict
from services.simulation.repository import EVENING, MORNING, Forecasts, Seed
from services.simulation.service import Simulation


def going(kind: str, cancelling: bool = False, **params: Any) -> SimpleNamespace:
    return SimpleNamespace(id="first", kind=kind, title=kind, params=params, cancelling=cancelling)


def simulation(*running: SimpleNamespace) -> Simulation:
    operations: Any = SimpleNamespace(
        running=lambda: running, submit=lambda kind, params, actor: SimpleNamespace(id=f"new {kind}")
    )
    data: Any = SimpleNamespace(seed=lambda: None, last_phases=dict)
    nobody: Any = None
    return Simulation(data, nobody, nobody, nobody, operations)


@pytest.mark.parametrize(
    ("running", "found"),
    [
        ((), "new data.seed"),
        ((going("hub.apply"),), "new data.seed"),
        ((going("data.seed"),), "first"),
        ((going("data.morning"),), "first"),
        ((going("inference.run", spoke="pudo"),), "first"),
        ((going("inference.run", days=["2025-07-01"]),), None),
        ((going("data.evening", cancelling=True),), None),
        ((going("data.reset"),), None),
        ((going("example.setup"),), None),
    ],
)
def test_the_second_press_finds_the_first(running: tuple[SimpleNamespace, ...], found: str | None) -> None:
    asked = simulation(*running)
    if found is not None:
        assert asked.start_next("ada") == found
        return
    with pytest.raises(Conflict) as refused:
        asked.start_next("ada")
    assert (refused.value.code, refused.value.detail) == ("busy", {"operation_id": "first"})


@pytest.mark.parametrize(
    ("running", "code"), [((going("data.reset"),), None), ((going("data.morning"),), "busy")]
)
def test_the_way_back(running: tuple[SimpleNamespace, ...], code: str | None) -> None:
    if code is None:
        assert simulation(*running).start_reset("reset", "ada") == "new data.reset"
        return
    with pytest.raises(Conflict) as refused:
        simulation(*running).start_reset("reset", "ada")
    assert refused.value.code == code


DAY = date(2025, 7, 1)
#: Forecasts of a day, made and scored.
Made = dict[date, Forecasts]


def two_spokes(morning: date, made: dict[str, Made], ready: set[str]) -> Simulation:
    """Two spokes with one prediction each, in their first and second environment; the last evening is DAY's."""

    def scope(spoke: str, environment: str) -> Any:
        contract = SimpleNamespace(evaluate="E")
        declared = SimpleNamespace(predictions={"P": contract}, predicting=lambda name: [f"{spoke} graph"])
        return SimpleNamespace(spoke=spoke, environment=environment, declared=declared)

    data: Any = SimpleNamespace(
        seed=lambda: Seed(DAY, DAY, datetime(2025, 7, 2, tzinfo=UTC)),
        last_phases=lambda: {MORNING: morning, EVENING: DAY},
        phases=lambda since: [],
        counts=dict,
        forecasts=lambda scope, contract, since: made.get(scope.spoke, {}),
    )
    environments = [SimpleNamespace(name=name) for name in ("DEV", "PROD")]
    found = (scope("a", "DEV"), scope("b", "DEV"), scope("a", "PROD"))
    spokes: Any = SimpleNamespace(onboarded=lambda: found, hub=SimpleNamespace(environments=environments))
    training: Any = SimpleNamespace(deployed=lambda scope, graph: scope.spoke in ready)
    registry: Any = SimpleNamespace(models=lambda spoke, environment: [SimpleNamespace(versions=["V1"])])
    operations: Any = SimpleNamespace(list=lambda where, limit: SimpleNamespace(items=()))
    return Simulation(data, spokes, training, registry, operations)


NEXT = DAY + timedelta(days=1)
BOTH = {"a", "b"}


@pytest.mark.parametrize(
    ("morning", "made", "ready", "kind", "spoke"),
    [
        (NEXT, {}, BOTH, "inference.run", "a"),
        (NEXT, {"a": {NEXT: Forecasts(3, 0)}}, BOTH, "inference.run", "b"),
        (NEXT, {}, {"b"}, "inference.run", "b"),
        (NEXT, {}, set(), "data.evening", None),
        (NEXT, {"a": {NEXT: Forecasts(3, 0)}, "b": {NEXT: Forecasts(1, 0)}}, BOTH, "data.evening", None),
        (DAY, {"a": {DAY: Forecasts(3, 0)}, "b": {DAY: Forecasts(1, 0)}}, BOTH, "predictions.evaluate", "a"),
        (DAY, {"a": {DAY: Forecasts(3, 2)}, "b": {DAY: Forecasts(1, 0)}}, BOTH, "predictions.evaluate", "b"),
        (DAY, {"a": {DAY: Forecasts(3, 2)}, "b": {DAY: Forecasts(1, 1)}}, BOTH, "data.morning", None),
    ],
)
def test_every_spoke_has_its_turn(
    morning: date, made: dict[str, Made], ready: set[str], kind: str, spoke: str | None
) -> None:
    step = two_spokes(morning, made, ready).next_step()
    environment, prediction = ("DEV", "P") if spoke else (None, None)
    graph = f"{spoke} graph" if kind == "inference.run" else None
    assert (step.kind, step.spoke, step.environment, step.prediction, step.graph) == (
        kind, spoke, environment, prediction, graph,
    )  # fmt: skip
