"""What a verification finds.

A *guess* is a sentence about Snowflake that its documentation does not decide and that Spokehub, or the
embedded account, relies on. Its *probe* asks an account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from services.verify.place import Place

GuessState = Literal["held", "refuted", "undecided"]
StepState = Literal["succeeded", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a probe learned. ``text`` is what the account said, in short."""

    state: GuessState
    text: str


def held(text: str) -> Said:
    return Said("held", text)


def refuted(text: str) -> Said:
    return Said("refuted", text)


def undecided(text: str) -> Said:
    """The account did not let the probe get as far as an answer."""
    return Said("undecided", text)


def decided(holds: bool, text: str) -> Said:
    return Said("held" if holds else "refuted", text)


Probe = Callable[[Place], Said]


@dataclass(frozen=True, slots=True)
class Guess:
    """``id`` is stable: ``subject.what``. ``sentence`` is also a line of docs/embedded_account.md.

    ``prepare`` is called for all guesses before the first probe, for what takes a while. Where Spokehub
    does not rely on it (``relied_on``), a refuted guess concerns the embedded account alone.
    """

    id: str
    sentence: str
    probe: Probe
    prepare: Callable[[Place], None] | None = None
    relied_on: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One guess, decided or not. ``statements`` are those that were sent for it."""

    guess: str
    sentence: str
    state: GuessState
    said: str
    seconds: float
    relied_on: bool = True
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepFinding:
    """One step of the example's way. ``said`` is the error with its hint, when it failed."""

    step: str
    title: str
    state: StepState
    seconds: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """An upper bound: the warehouse as if it had run from the first statement to its suspension after the last."""

    warehouse_seconds: float
    credits: float


@dataclass(frozen=True, slots=True)
class Report:
    """The whole verification. ``green`` unless a step failed or a guess that Spokehub relies on was refuted."""

    account: str
    version: str
    region: str
    role: str
    database: str
    began: str
    seconds: float
    steps: tuple[StepFinding, ...]
    findings: tuple[Finding, ...]
    cost: Cost
    kept: bool
    left: tuple[str, ...] = field(default=())

    @property
    def green(self) -> bool:
        failed = [step for step in self.steps if step.state == "failed"]
        wrong = [finding for finding in self.findings if finding.state == "refuted" and finding.relied_on]
        return not failed and not wrong and not self.left
