"""The example's whole way, small: the set-up operation that a new user sees, over a database of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from services.example.types import SMALL
from services.operations import Operations
from services.operations.types import StepView
from services.verify.types import StepFinding, StepState

KIND = "example.setup"
_STATES: dict[str, StepState] = {"succeeded": "succeeded", "failed": "failed"}


def travel(
    operations: Operations, spoke: str, environment: str, patience: float, tell: Callable[[str], None]
) -> tuple[StepFinding, ...]:
    """Run the set-up to its end, telling of each step as it ends."""
    params = {"spokes": [spoke], "environment": environment, "network": SMALL}
    submitted = operations.submit(KIND, params, actor="verify")
    end, told = time.monotonic() + patience, 0
    while True:
        view = operations.wait(submitted.id, 1.0)
        ended = [step for step in view.steps if step.ended_at is not None]
        for step in ended[told:]:
            tell(f"{step.title}: {step.state.value}")
        told = len(ended)
        if not view.state.final and time.monotonic() > end:
            operations.cancel(submitted.id, "verify")
            view = operations.wait(submitted.id, 60.0)
            end = math.inf
        if view.state.final or end == math.inf:
            return tuple(_finding(step) for step in view.steps)


def _finding(step: StepView) -> StepFinding:
    seconds = (step.ended_at - step.started_at).total_seconds() if step.ended_at and step.started_at else 0.0
    state = _STATES.get(step.state.value, "skipped" if step.started_at is None else "failed")
    error = step.error
    said = f"{error.message}. {error.hint or ''}".strip() if error else ""
    return StepFinding(step.name, step.title, state, seconds, said)
