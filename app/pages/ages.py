"""How old is what a page shows?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fastapi import Request

from app.addresses import here
from app.dependencies import domains
from services.core.clock import utc_now
from services.core.errors import SpokehubError
from services.knowledge.types import HUB, SIMULATION, Look, Outlook, spoke_part

_TODAY = timedelta(hours=12)
# More than these are not named one by one.
_MANY = 20


@dataclass(frozen=True, slots=True)
class AsOf:
    """The age of what is shown. ``parts`` are what would be read anew, all of them when there are none."""

    at: datetime | None
    parts: tuple[str, ...]
    back: str
    outlook: Outlook

    @property
    def style(self) -> Literal["time", "datetime"]:
        """How to write it: with its day once that may be another one."""
        return "time" if self.at is None or utc_now() - self.at < _TODAY else "datetime"


def as_of(request: Request) -> AsOf | None:
    """How old what this request was answered with is; None when nothing of the account was looked at."""
    seen: Look | None = getattr(request.state, "look", None)
    if seen is None or seen.as_of is None:
        return None
    parts = tuple(sorted(seen.parts)) if len(seen.parts) <= _MANY else ()
    return AsOf(seen.as_of, parts, address(request), domains(request).knowledge.outlook(seen.parts))


def unread(request: Request) -> AsOf:
    """What is said where nothing is known yet."""
    knowledge, part = domains(request).knowledge, part_of(request)
    parts = (part,) if part in knowledge.names() else ()
    return AsOf(None, parts, address(request), knowledge.outlook(parts or None))


def address(request: Request) -> str:
    """The address of this page, as it was sent."""
    query = request.url.query
    return f"{here(request)}?{query}" if query else here(request)


def part_of(request: Request) -> str:
    """The part of the account that a page is about, or "" for all."""
    known, spoke = domains(request), request.path_params.get("spoke")
    if spoke:
        try:
            name = request.query_params.get("environment")
            environment = (
                known.hub.declared.environment(name).name if name else known.hub.environments()[0].name
            )
        except SpokehubError:
            return ""
        return spoke_part(str(spoke), environment)
    first = here(request).strip("/").partition("/")[0]
    return first if first in (HUB, SIMULATION) else ""
