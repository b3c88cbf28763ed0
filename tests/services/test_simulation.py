"""How the synthetic data's operations reach the account."""

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from services.core.errors import Conflict
from services.core.hub import load_declaration
from services.simulation import operations


class _Reached(Exception):
    pass


@pytest.mark.parametrize("name", ["seed", "morning", "evening", "reset"])
def test_a_change_waits_seconds_for_another(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[dict[str, Any]] = []

    @contextmanager
    def connect(**given: Any) -> Any:
        options.append(given)
        raise _Reached
        yield

    simulation: Any = SimpleNamespace(require_seed=lambda: SimpleNamespace(last_day=None))
    spokes: Any = SimpleNamespace(onboarded=tuple)
    context: Any = SimpleNamespace(connect=connect, result_of=lambda step: {"day": "2026-01-01"})
    kinds = operations.SimulationOperations(simulation, spokes, load_declaration()).kinds()
    kind = next(kind for kind in kinds if kind.kind == f"data.{name}")
    with pytest.raises(_Reached):
        kind.steps[-1].function(context, kind.params())
    assert options == [{"session_parameters": {"LOCK_TIMEOUT": 10}}]


def test_what_is_locked_is_a_conflict() -> None:
    from mock_data.errors import ConcurrentChange

    with pytest.raises(Conflict) as caught, operations.refusals():
        raise ConcurrentChange("Another change of the simulation is still open.", "Later.")
    assert (caught.value.status, caught.value.code) == (409, "concurrent_change")
