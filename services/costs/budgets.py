"""What may be spent each month, and how a month stands to it."""

from __future__ import annotations

import math
from decimal import Decimal

from sqlalchemy import select

from services.core.clock import Clock
from services.core.errors import Invalid, NotFound
from services.costs.types import ANY, Budget, BudgetState, BudgetWord, Month, Place
from services.db.engine import Database
from services.db.records import AuditEventRecord
from services.db.records.budgets import BudgetRecord
from services.spokes.service import Spokes

LEAST_CREDITS, MOST_CREDITS = 0.000_001, 1_000_000_000


class Budgets:
    """Reads and writes them in the catalogue; each change is an audit event in the same transaction."""

    def __init__(self, database: Database, spokes: Spokes, clock: Clock) -> None:
        self._database = database
        self._spokes = spokes
        self._clock = clock

    def all(self) -> tuple[Budget, ...]:
        """Every budget, by spoke and environment."""
        with self._database.read() as db:
            records = db.scalars(
                select(BudgetRecord).order_by(BudgetRecord.spoke, BudgetRecord.environment)
            ).all()
        return tuple(
            Budget(
                record.spoke,
                record.environment,
                Decimal(str(record.credits)),
                record.warn_at,
                record.changed_by,
                record.changed_at,
            )
            for record in records
        )

    def set(self, spoke: str, environment: str, credits: float, warn_at: float, actor: str) -> Place:
        """Its spoke and environment. NotFound 404 for an unknown spoke, Invalid 422 for what cannot be a budget."""
        if spoke != ANY:
            self._spokes.get(spoke)
        if environment != ANY:
            environment = self._spokes.hub.environment(environment).name
        if not (math.isfinite(credits) and LEAST_CREDITS <= credits <= MOST_CREDITS):
            raise Invalid(
                f"A budget is a number of credits from {LEAST_CREDITS:f} to {MOST_CREDITS:,}",
                hint="Remove the budget where nothing is limited.",
                code="bad_budget",
            )
        if not 0 < warn_at <= 1:
            raise Invalid(
                "The warning comes at a part of the budget, greater than 0 and at most 1",
                hint="0.8 warns when four fifths are spent.",
                code="bad_budget",
            )
        now = self._clock()
        with self._database.write() as db:
            record = db.get(BudgetRecord, (spoke, environment))
            before = None if record is None else {"credits": record.credits, "warn_at": record.warn_at}
            if record is None:
                record = BudgetRecord(spoke=spoke, environment=environment)
            record.credits, record.warn_at = credits, warn_at
            record.changed_by, record.changed_at = actor, now
            db.add(record)
            after = {"credits": credits, "warn_at": warn_at}
            db.add(_event("budget.set", spoke, environment, actor, self._clock, before, after))
        return spoke, environment

    def remove(self, spoke: str, environment: str, actor: str) -> None:
        """NotFound 404 when there is none."""
        with self._database.write() as db:
            record = db.get(BudgetRecord, (spoke, environment))
            if record is None:
                raise NotFound(
                    f"There is no budget of {spoke} in {environment}",
                    hint="GET /api/v1/costs/budgets has those that there are.",
                    code="unknown_budget",
                )
            before = {"credits": record.credits, "warn_at": record.warn_at}
            db.delete(record)
            db.add(_event("budget.remove", spoke, environment, actor, self._clock, before, None))


def state(budget: Budget, month: Month) -> BudgetState:
    """Exceeded when it is spent, warned from its fraction on, expected when the month will come to more."""
    word: BudgetWord = "within"
    if month.so_far >= budget.credits:
        word = "exceeded"
    elif month.so_far >= budget.credits * Decimal(str(budget.warn_at)):
        word = "warned"
    elif month.forecast is not None and month.forecast.expected > budget.credits:
        word = "expected"
    return BudgetState(budget, month, float(month.so_far / budget.credits), word)


def _event(
    action: str,
    spoke: str,
    environment: str,
    actor: str,
    clock: Clock,
    before: dict[str, float] | None,
    after: dict[str, float] | None,
) -> AuditEventRecord:
    return AuditEventRecord(
        at=clock(),
        actor=actor,
        action=action,
        target=f"{spoke}/{environment}",
        spoke=None if spoke == ANY else spoke,
        environment=None if environment == ANY else environment,
        detail={"before": before, "after": after},
    )
