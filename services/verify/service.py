"""Verifies an account: a database of its own, the example's way in it, the guesses, and nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.core.clock import isoformat, utc_now
from services.core.errors import SpokehubError
from services.core.hub import Declaration
from services.example.types import SPOKES
from services.operations import Operations
from services.operations.identifiers import new_id
from services.snowflake.connection import ConnectionSource
from services.snowflake.identifiers import QualifiedName, like_pattern, like_prefix, quote
from services.snowflake.scope import Scope, Scopes
from services.verify import journey
from services.verify.guesses import GUESSES
from services.verify.place import Place, Refused
from services.verify.types import Cost, Finding, Guess, Report, Said, StepFinding, undecided

PREFIX = "SPOKEHUB_VERIFY_"
SPOKE = SPOKES[0]
_PROBES = "PROBES"
# https://docs.snowflake.com/en/user-guide/warehouses-overview: an X-Small warehouse is one credit an hour.
_CREDITS_AN_HOUR = 1.0
Tell = Callable[[str], None]


def new_name() -> str:
    """The name of a verification's database; its roles begin with it."""
    return PREFIX + new_id(utc_now()).replace("-", "")[-10:].upper()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, for a probe's end, and for the example's way."""

    look: float
    probe: float
    way: float


LIVE = Pace(look=3.0, probe=240.0, way=3600.0)
LOCAL = Pace(look=0.2, probe=60.0, way=600.0)


@dataclass
class Verification:
    """One verification of one account. ``declared`` is the hub ``apart``, in whose databases all happens."""

    declared: Declaration
    source: ConnectionSource
    operations: Operations
    scope: Scopes
    guesses: Sequence[Guess] = GUESSES
    tell: Tell = lambda line: None
    _began: float = field(default_factory=time.monotonic)

    def run(self, *, way: bool = True, keep: bool = False) -> Report:
        """Go the way, ask the guesses, remove everything unless it is to be kept.

        Raises:
            Unavailable, SnowflakeFailed: the account does not let anybody in.
        """
        pace = LOCAL if self.source.kind == "embedded" else LIVE
        began = isoformat(utc_now())
        facts = self.source.query(
            "SELECT CURRENT_VERSION() AS VERSION, CURRENT_REGION() AS REGION, CURRENT_ROLE() AS ROLE"
        )[0]
        had_warehouse = self._warehouse_exists()
        steps: tuple[StepFinding, ...] = ()
        findings: tuple[Finding, ...] = ()
        left: tuple[str, ...] = ()
        try:
            environment = self.declared.environments[0].name
            if way:
                steps = journey.travel(self.operations, SPOKE, environment, pace.way, self.tell)
            findings = self._ask(self.scope(SPOKE, environment), pace)
        finally:
            if not keep:
                left = self._remove(had_warehouse)
        seconds = time.monotonic() - self._began
        return Report(
            self.source.name, str(facts["VERSION"]), str(facts["REGION"]), str(facts["ROLE"]),
            self._name, began, round(seconds, 1), steps, findings,
            self._cost(seconds), keep, left,
        )  # fmt: skip

    @property
    def _name(self) -> str:
        """What the names of all that is made begin with; the shared database has no more than it."""
        return self.declared.layout.shared_database

    def _ask(self, scope: Scope, pace: Pace) -> tuple[Finding, ...]:
        database, warehouse = self._name, self.declared.warehouse.name
        for statement in (
            f"CREATE WAREHOUSE IF NOT EXISTS {quote(warehouse)} WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60"
            " INITIALLY_SUSPENDED = TRUE",
            f"CREATE DATABASE IF NOT EXISTS {quote(database)}",
            f"CREATE SCHEMA IF NOT EXISTS {quote(database)}.{_PROBES}",
        ):
            self.source.query(statement)
        place = Place(self.source, scope, QualifiedName(_PROBES, database), warehouse, pace.look, pace.probe)
        try:
            prepared = {guess.id: self._prepare(guess, place) for guess in self.guesses}
            return tuple(self._find(guess, prepared[guess.id], place) for guess in self.guesses)
        finally:
            place.close()

    def _prepare(self, guess: Guess, place: Place) -> Said | None:
        """What stands in the way of asking, if anything does."""
        try:
            if guess.prepare is not None:
                guess.prepare(place)
        except (Refused, SpokehubError) as failure:
            return undecided(f"could not be prepared: {failure}")
        return None

    def _find(self, guess: Guess, obstacle: Said | None, place: Place) -> Finding:
        began, place.statements = time.monotonic(), []
        try:
            said = obstacle or guess.probe(place)
        except (Refused, SpokehubError) as failure:
            said = undecided(f"{failure}, at: {' '.join(place.statements[-1:])[:200]}")
        except Exception as failure:  # noqa: BLE001 - one answer of unknown form must not end the others
            said = undecided(
                f"{type(failure).__name__}: {failure}, after: {' '.join(place.statements[-1:])[:200]}"
            )
        self.tell(f"{guess.id}: {said.state}")
        seconds = round(time.monotonic() - began, 2)
        return Finding(
            guess.id, guess.sentence, said.state, said.text, seconds, guess.relied_on, tuple(place.statements)
        )

    def _warehouse_exists(self) -> bool:
        name = self.declared.warehouse.name
        return bool(self.source.query(f"SHOW WAREHOUSES LIKE {like_pattern(name)}"))

    def _remove(self, had_warehouse: bool) -> tuple[str, ...]:
        """Drop databases, roles and, when it was not there before, the warehouse; what would not go."""
        statements = _drops(self.source, self._name)
        if not had_warehouse:
            statements.append(f"DROP WAREHOUSE IF EXISTS {quote(self.declared.warehouse.name)}")
        return run_all(self.source, statements)

    def _cost(self, seconds: float) -> Cost:
        up = seconds + self.declared.warehouse.auto_suspend_seconds
        return Cost(round(up, 1), round(up / 3600 * _CREDITS_AN_HOUR, 4))


def _drops(source: ConnectionSource, name: str) -> list[str]:
    """The statements that remove what a verification of this name made, the hub's role last."""
    found = []
    for kind in ("DATABASE", "ROLE"):
        rows = source.query(f"SHOW {kind}S LIKE {like_prefix(name)}")
        names = sorted((str(row["name"]) for row in rows), key=lambda one: (one == f"{name}_ADMIN", one))
        found += [f"DROP {kind} IF EXISTS {quote(one)}" for one in names]
    return found


def leftovers(source: ConnectionSource) -> list[str]:
    """Verifications that were killed or kept, oldest first; what each made begins with its name."""
    rows = source.query(f"SHOW DATABASES LIKE {like_prefix(PREFIX)}")
    length = len(new_name())
    names = [str(row["name"])[:length] for row in sorted(rows, key=lambda row: str(row["created_on"]))]
    return list(dict.fromkeys(names))


def remove(source: ConnectionSource, name: str) -> tuple[str, ...]:
    """Drop what one of ``leftovers`` made; what would not go."""
    return run_all(source, _drops(source, name))


def run_all(source: ConnectionSource, statements: Sequence[str]) -> tuple[str, ...]:
    """Run each, whatever becomes of the others; the failures, in words."""
    failures: list[str] = []
    for statement in statements:
        try:
            source.query(statement)
        except SpokehubError as error:
            failures.append(f"{statement}: {error.message}")
    return tuple(failures)
