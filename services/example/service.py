"""The example's set-up: how far it is, and what starts it."""

from __future__ import annotations

from services.core.errors import Conflict, Invalid
from services.example.types import SPOKES, ExampleState
from services.operations import Operations
from services.operations.identifiers import derived_id
from services.snowflake.deployer import spoke_names

KIND = "example.setup"


class Example:
    """See types.py. ``asked`` names its spokes: None for all, none of them when the example is turned off."""

    def __init__(self, asked: tuple[str, ...] | None, operations: Operations) -> None:
        unknown = sorted(set(asked or ()) - set(SPOKES))
        if unknown:
            raise Invalid(
                f"SPOKEHUB_EXAMPLE names {', '.join(map(repr, unknown))}",
                hint=f"Use some of {', '.join(SPOKES)} by comma, or none.",
            )
        there = spoke_names()
        self._spokes = tuple(one for one in SPOKES if one in there and (asked is None or one in asked))
        self._operations = operations

    def state(self) -> ExampleState:
        """From the catalogue database only."""
        newest = self._operations.latest(KIND)
        if newest is None:
            return ExampleState(bool(self._spokes), self._spokes, "absent")
        return ExampleState(bool(self._spokes), self._spokes, newest.state.value, newest.id)

    def start(self, actor: str) -> str:
        """Submit ``example.setup``, or go on with the one that failed; Conflict 409 when it is turned off."""
        if not self._spokes:
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
        return self._operations.submit(KIND, {"spokes": self._spokes}, actor=actor).id

    def start_first(self) -> None:
        """Submit it by an id that is the same for ever; nothing when it is turned off."""
        if self._spokes:
            self._operations.submit(
                KIND,
                {"spokes": self._spokes},
                actor="spokehub",
                operation_id=derived_id(KIND, ",".join(self._spokes)),
            )
