"""The example's set-up: how far it is, and what starts it."""

from __future__ import annotations

from services.core.errors import Conflict
from services.example.types import ExampleState
from services.operations import Operations

KIND = "example.setup"
SPOKE = "pudo"


class Example:
    """See types.py. ``spoke`` is None when the example is turned off."""

    def __init__(self, spoke: str | None, operations: Operations) -> None:
        self._spoke = spoke
        self._operations = operations

    def state(self) -> ExampleState:
        """From the catalogue database only."""
        newest = self._operations.latest(KIND)
        spoke = self._spoke or SPOKE
        if newest is None:
            return ExampleState(self._spoke is not None, spoke, "absent")
        return ExampleState(self._spoke is not None, spoke, newest.state.value, newest.id)

    def start(self, actor: str) -> str:
        """Submit ``example.setup``, or go on with the one that failed; Conflict 409 when it is turned off."""
        if self._spoke is None:
            raise Conflict(
                "The example is turned off",
                hint="Start the service without SPOKEHUB_EXAMPLE=none.",
                code="example_disabled",
            )
        newest = self._operations.latest(KIND)
        if newest is not None and not newest.state.final:
            return newest.id
        if newest is not None and newest.can_resume:
            return self._operations.resume(newest.id, actor).id
        return self._operations.submit(KIND, {"spoke": self._spoke}, actor=actor).id
