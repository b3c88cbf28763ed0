"""The button for the next step, pressed while something is under way."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from services.core.errors import Conflict
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
