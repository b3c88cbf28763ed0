"""Manifests that tests make."""

from __future__ import annotations

from typing import Any

from spoke_kit.manifest import Manifest

TASK: dict[str, Any] = {"handler": "code.run"}


def small(spoke: str = "pudo", **parts: Any) -> Manifest:
    """The least that a spoke declares, and these parts."""
    return Manifest.model_validate(
        {
            "version": 1,
            "spoke": spoke,
            "title": spoke.upper(),
            "owner": "Team",
            "description": "What it does",
            "compute": {"warehouse": "SPOKEHUB_WH", "packages": []},
            **parts,
        }
    )
