"""The hub: its account, its environments and its plan."""

from __future__ import annotations

from datetime import datetime

from app.schemas.base import Schema
from services.hub.types import AccountKind, ObjectState


class Account(Schema):
    """The account in use."""

    name: str
    kind: AccountKind
    account: str
    host: str | None
    role: str | None
    warehouse: str | None


class Environment(Schema):
    """One environment."""

    name: str
    protected: bool


class HubObject(Schema):
    """One object of the hub, or of a spoke in an environment."""

    kind: str
    name: str
    state: ObjectState
    declared: str | None
    actual: str | None
    comment: str | None
    sql: str
    spoke: str | None
    environment: str | None


class Matching(Schema):
    """How much of what was declared for one place is there; a spoke of null is the hub itself."""

    spoke: str | None
    environment: str | None
    objects: int
    different: int


class MissingRight(Schema):
    """A right that the role in use lacks, why it is needed, and the statement for somebody who may give it."""

    right: str
    why: str
    statement: str


class HubPlan(Schema):
    """Every declared or foreign object, what is in the way of applying, and what is granted once."""

    account: Account
    databases: list[str]
    objects: list[HubObject]
    as_of: datetime
    missing: list[MissingRight]
    bootstrap: str
