"""How far the example's set-up is.

Functions (`services.example`):

- `state() -> ExampleState`: from the catalogue database only; the home page asks on each poll.
- `start(actor: str) -> str`: submits `example.setup` (or returns the one that is running), returns the
  operation's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExampleState:
    """`enabled` is false with SPOKEHUB_EXAMPLE=none.

    `operation_id` is the newest `example.setup`, if there is one.
    """

    enabled: bool
    spoke: str
    state: Literal["absent", "pending", "running", "succeeded", "failed", "cancelled"]
    operation_id: str | None = None
