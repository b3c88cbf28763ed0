"""What is known of the spokes: who owns each, and where it is deployed.

Functions (`services.spokes`):

- `all() -> tuple[Spoke, ...]`: every onboarded spoke by name; from the catalogue database.
- `get(spoke: str) -> Spoke`: NotFound 404 when there is none of the name.
- `start_onboard(spoke: str, environment: str, actor: str) -> str`: submits `spoke.onboard`, returns the
  operation's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SpokeEnvironment:
    """A spoke in one environment.

    `bundle` is the content hash deployed there, None before the first deployment; `predictions` are the names
    of those that its manifest declares.
    """

    environment: str
    schema_name: str
    onboarded_at: datetime
    bundle: str | None = None
    deployed_at: datetime | None = None
    predictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spoke:
    """One project team and what it declared of itself in `spoke.yaml`."""

    name: str
    title: str
    owner: str
    description: str
    environments: tuple[SpokeEnvironment, ...]
