"""What is known of the hub: the account it stands on, its environments, and what was declared against what
exists.

Functions (`services.hub`):

- `account() -> Account`: which account this is; needs no warehouse and no network, every page asks.
- `environments() -> tuple[Environment, ...]`: as declared in `hub.yaml`, in promotion order; no network.
- `plan() -> HubPlan`: the declared objects compared with those in the account.
- `start_apply(actor: str) -> str`: submits `hub.apply`, returns the operation's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.snowflake.preflight import MissingRight

ObjectState = Literal["present", "missing", "changed", "foreign"]
AccountKind = Literal["embedded", "connection", "container services"]


@dataclass(frozen=True, slots=True)
class Account:
    """The account in use. `name` is what a person calls it: "embedded account" or the connection's name."""

    name: str
    kind: AccountKind
    account: str
    host: str | None = None
    role: str | None = None
    warehouse: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment; a protected one (PROD) is marked wherever it is shown."""

    name: str
    protected: bool = False


@dataclass(frozen=True, slots=True)
class HubObject:
    """One object of the hub, or of a spoke in an environment.

    `sql` is the statement that would bring it to what was declared (empty: none).
    """

    kind: str
    name: str
    state: ObjectState
    declared: str | None = None
    actual: str | None = None
    comment: str | None = None
    sql: str = ""
    spoke: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """How much of what was declared for one place is there; a `spoke` of None is the hub itself."""

    spoke: str | None
    environment: str | None
    objects: int
    different: int


@dataclass(frozen=True, slots=True)
class HubPlan:
    """Every declared or foreign object; nothing to do when all are present.

    `missing` are the rights without which the pending ones cannot be brought about, `bootstrap` is the SQL with
    which an administrator gives all that is needed once.
    """

    account: Account
    databases: tuple[str, ...]
    objects: tuple[HubObject, ...]
    as_of: datetime
    missing: tuple[MissingRight, ...] = ()
    bootstrap: str = ""

    @property
    def pending(self) -> tuple[HubObject, ...]:
        """The objects that applying would create or change."""
        return tuple(item for item in self.objects if item.state in ("missing", "changed"))

    @property
    def different(self) -> tuple[HubObject, ...]:
        """The pending and the foreign ones, missing ones last."""
        found = (item for item in self.objects if item.state != "present")
        return tuple(sorted(found, key=lambda item: (item.state, item.name)))

    @property
    def places(self) -> tuple[Matching, ...]:
        """The hub, then each spoke and environment, those that differ most first."""
        counts: dict[tuple[str | None, str | None], list[int]] = {(None, None): [0, 0]}
        for item in self.objects:
            count = counts.setdefault((item.spoke, item.environment), [0, 0])
            count[0] += item.state != "foreign"
            count[1] += item.state in ("missing", "changed")
        found = [Matching(*place, *count) for place, count in counts.items()]
        return tuple(sorted(found, key=lambda one: (one.spoke is not None, -one.different)))

    def of(self, spoke: str | None) -> tuple[HubObject, ...]:
        """The objects of one spoke, or of the hub itself."""
        return tuple(item for item in self.objects if item.spoke == spoke)
