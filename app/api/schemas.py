"""REST: the forms of the files that people write."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from spoke_kit import manifest

router = APIRouter(prefix="/schemas", tags=["schemas"])


@router.get("/spoke.json")
def get_spoke() -> dict[str, Any]:
    """The JSON Schema of ``spoke.yaml``."""
    return manifest.schema()
