"""The example's set-up."""

from __future__ import annotations

from typing import Literal

from app.schemas.base import Schema


class ExampleState(Schema):
    """`enabled` is false with SPOKEHUB_EXAMPLE=none."""

    enabled: bool
    spokes: list[str]
    state: Literal["absent", "pending", "running", "succeeded", "failed", "cancelled"]
    operation_id: str | None
