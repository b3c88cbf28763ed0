"""Which spokes the example has, and how far its set-up is.

Functions (`services.example`):

- `state() -> ExampleState`: from the catalogue database only; the home page asks on each poll.
- `start(actor: str) -> str`: submits `example.setup` (or returns the one that is running), returns the
  operation's id.
- `start_first() -> None`: once for ever, however often the service starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: In the order in which they are set up.
SPOKES = ("pudo", "delivery")
#: A network of a tenth of the rows, enough for the splits and the neighbourhood's features.
SMALL = {"n_pudos": 24, "parcels_per_day": 200.0}


@dataclass(frozen=True, slots=True)
class ExampleState:
    """`enabled` is false with SPOKEHUB_EXAMPLE=none.

    `operation_id` is the newest `example.setup`, if there is one.
    """

    enabled: bool
    spokes: tuple[str, ...]
    state: Literal["absent", "pending", "running", "succeeded", "failed", "cancelled"]
    operation_id: str | None = None
