"""What is asked of failures: which of them, and what is to become of them."""

from __future__ import annotations

from dataclasses import dataclass

from services.failures.types import FailureKind, FailureState


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which groups; None for any. ``owner`` "" asks for those without one. ``text`` is looked for in the message,
    the subject and the task, in any case.
    """

    state: FailureState | None = None
    spoke: str | None = None
    environment: str | None = None
    subject: str | None = None
    kind: FailureKind | None = None
    owner: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of groups; None leaves as it is, "" takes away."""

    state: FailureState | None = None
    owner: str | None = None
    note: str | None = None
