"""The synthetic data: which day it is, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.core.errors import Conflict, Invalid
from services.knowledge.types import SIMULATION, spoke_part
from services.operations import OperationFilter, Operations, OperationState
from services.registry.service import Registry
from services.simulation.repository import EVENING, MORNING, Forecasts, Phase, Seed, SimulatedData
from services.simulation.types import NextStep, SimulationDay, SimulationStatus, StepKind
from services.snowflake.scope import Scope
from services.spokes.service import Spokes
from services.training.service import Training
from spoke_kit.manifest import Prediction

RESET_WORD = "reset"
_DAY = timedelta(days=1)
_DATA = ("data.", "inference.", "predictions.", "example.", "simulation.")
# What "next" may start.
_STEPS = frozenset({"data.seed", "data.morning", "inference.run", "data.evening", "predictions.evaluate"})


@dataclass(frozen=True, slots=True)
class Subject:
    """One prediction that a spoke declares."""

    scope: Scope
    name: str
    contract: Prediction

    @property
    def graph(self) -> str | None:
        """The graph that makes it."""
        return next(iter(self.scope.declared.predicting(self.name)), None)

    def step(self, kind: StepKind, title: str, day: date, graph: str | None = None) -> NextStep:
        """A step about it."""
        return NextStep(kind, title, day, self.scope.spoke, self.scope.environment, self.name, graph)


class Simulation:
    """See types.py. The forecasts that it speaks of are those of all spokes in the first environment that has any."""

    def __init__(
        self,
        data: SimulatedData,
        spokes: Spokes,
        training: Training,
        registry: Registry,
        operations: Operations,
    ) -> None:
        self.data = data
        self._spokes = spokes
        self._training = training
        self._registry = registry
        self._operations = operations

    def status(self, days: int = 42) -> SimulationStatus:
        """The last days and the next step."""
        seed = self.data.seed()
        last = self.data.last_phases()
        if seed is None or not last:
            return SimulationStatus(False, (), NextStep("data.seed", "Load the synthetic network", None))
        morning, evening = last[MORNING], last[EVENING]
        since = max(morning, evening) - timedelta(days=days - 1)
        made = [(one, self.data.forecasts(one.scope, one.contract, since)) for one in self.subjects()]
        return SimulationStatus(
            seeded=True,
            days=_calendar(seed, self.data.phases(since), [days for _, days in made], self._done_at()),
            next=self._next(morning, evening, made),
            first_day=seed.first_day,
            seed_last_day=seed.last_day,
            last_morning=morning,
            last_evening=evening,
            reset_word=RESET_WORD,
            row_counts=self.data.counts(),
        )

    def touched(self) -> tuple[str, ...]:
        """What moving the data on changes: the spokes read it, so what they predict gets its actuals."""
        spokes = (spoke_part(scope.spoke, scope.environment) for scope in self._spokes.onboarded())
        return (SIMULATION, *spokes)

    def read(self, spoke: str, environment: str) -> None:
        """Ask the account what ``status`` asks of a spoke."""
        scope = self._spokes.scope(spoke, environment)
        for contract in scope.manifest.predictions.values() if scope.manifest else ():
            self.data.forecasts(scope, contract, date.min)

    def subjects(self) -> list[Subject]:
        """What the onboarded spokes predict, in the first environment where any is."""
        found = self._spokes.onboarded()
        order = [known.name for known in self._spokes.hub.environments]
        first = min((order.index(scope.environment) for scope in found), default=None)
        return [
            Subject(scope, name, contract)
            for scope in found
            if order.index(scope.environment) == first
            for name, contract in scope.declared.predictions.items()
        ]

    def next_step(self) -> NextStep:
        """What comes next, without the calendar."""
        step = self.status(days=7).next
        assert step is not None
        return step

    def start_next(self, actor: str) -> str:
        """Submit what comes next, or find it under way; Conflict 409 while other work on the data is."""
        for view in self._operations.running():
            if view.kind in _STEPS and not view.cancelling and not view.params.get("days"):
                return view.id
        self.require_idle()
        step = self.next_step()
        params: dict[str, Any] = {}
        if step.spoke is not None:
            params = {"spoke": step.spoke, "environment": step.environment}
            params |= {"graph": step.graph} if step.graph else {"prediction": step.prediction}
        return self._submit(step.kind, params, actor)

    def start_reset(self, confirm: str, actor: str) -> str:
        """Submit ``data.reset``; Invalid 422 unless the word was given."""
        if confirm != RESET_WORD:
            raise Invalid(
                f"Resetting needs the word {RESET_WORD!r}", hint=f"Type {RESET_WORD}.", code="not_confirmed"
            )
        going = self._operations.running()
        if not any(view.kind == "data.reset" for view in going):
            self.require_idle()
        return self._submit("data.reset", {}, actor)

    def require_idle(self) -> None:
        """Conflict 409 while an operation that reads or moves the data is under way."""
        for view in self._operations.running():
            if view.kind.startswith(_DATA):
                raise Conflict(
                    f"{view.title} is under way",
                    hint=f"Wait for operation {view.id}, or cancel it.",
                    code="busy",
                    detail={"operation_id": view.id},
                )

    day = _DAY

    def first_open_day(self) -> date:
        """The day whose evening has not come: the one that has begun, or the next."""
        return self._last()[EVENING] + _DAY

    def start_days(self, days: int, trouble: str | None, actor: str) -> str:
        """Submit ``simulation.run``."""
        return self._submit("simulation.run", {"days": days, "trouble": trouble}, actor)

    def require_morning(self, day: date | None) -> date:
        """The day whose morning may come now; Conflict 409 for any other."""
        last = self._last()
        if last[MORNING] > last[EVENING]:
            self._refuse_done(day, last[MORNING], "morning")
            raise Conflict(
                f"The evening of {last[MORNING]} is still open",
                hint="Run the evening first: POST /api/v1/simulation/evening.",
                code="evening_open",
            )
        return self._expected(day, last[MORNING], "morning")

    def require_evening(self, day: date | None) -> date:
        """The day whose evening may come now; Conflict 409 for any other."""
        last = self._last()
        if last[EVENING] >= last[MORNING]:
            self._refuse_done(day, last[EVENING], "evening")
            raise Conflict(
                f"The morning of {last[EVENING] + _DAY} has not been run",
                hint="Run the morning first: POST /api/v1/simulation/morning.",
                code="morning_missing",
            )
        return self._expected(day, last[EVENING], "evening")

    def require_seed(self) -> Seed:
        """What was seeded; Conflict 409 before."""
        seed = self.data.seed()
        if seed is None:
            raise Conflict(
                "The synthetic network is not loaded",
                hint="Load it first: POST /api/v1/simulation/seed.",
                code="not_seeded",
            )
        return seed

    def _last(self) -> dict[str, date]:
        self.require_seed()
        return self.data.last_phases()

    def _expected(self, day: date | None, last: date, phase: str) -> date:
        self._refuse_done(day, last, phase)
        if day not in (None, last + _DAY):
            raise Conflict(
                f"The {phase} of {day} would leave a gap",
                hint=f"The next is that of {last + _DAY}.",
                code="day_out_of_order",
            )
        return last + _DAY

    def _refuse_done(self, day: date | None, last: date, phase: str) -> None:
        if day is not None and day <= last:
            raise Conflict(
                f"The {phase} of {day} is done",
                hint=f"The last is that of {last}.",
                code=f"{phase}_already_done",
            )

    def _next(
        self, morning: date, evening: date, made: Sequence[tuple[Subject, Mapping[date, Forecasts]]]
    ) -> NextStep:
        if morning > evening:
            for one, days in made:
                if morning not in days and self.can_predict(one):
                    title = f"Predict {morning} with {one.scope.spoke}"
                    return one.step("inference.run", title, morning, one.graph)
            return NextStep("data.evening", f"Evening of {morning}", morning)
        for one, days in made:
            behind = [day for day, done in days.items() if day <= evening and not done.scored]
            if behind and one.contract.evaluate is not None:
                title = f"Evaluate {max(behind)} of {one.scope.spoke}"
                return one.step("predictions.evaluate", title, max(behind))
        return NextStep("data.morning", f"Morning of {morning + _DAY}", morning + _DAY)

    def can_predict(self, one: Subject) -> bool:
        """Whether its graph is deployed and there is a model version."""
        models = self._registry.models(one.scope.spoke, one.scope.environment)
        deployed = one.graph and self._training.deployed(one.scope, one.graph)
        return bool(deployed and any(model.versions for model in models))

    def _done_at(self) -> dict[tuple[str, str], datetime]:
        """When operations did a phase of a day: (day, phase) → moment."""
        found: dict[tuple[str, str], datetime] = {}
        for kind, phase in (("data.morning", MORNING), ("data.evening", EVENING)):
            where = OperationFilter(kind=kind, state=OperationState.SUCCEEDED)
            for view in self._operations.list(where, limit=100).items:
                if isinstance(view.result, dict) and view.ended_at is not None:
                    found.setdefault((str(view.result.get("day")), phase), view.ended_at)
        return found

    def _submit(self, kind: str, params: dict[str, Any], actor: str) -> str:
        return self._operations.submit(kind, params, actor=actor).id


def _calendar(
    seed: Seed,
    phases: list[Phase],
    made: Sequence[Mapping[date, Forecasts]],
    done_at: dict[tuple[str, str], datetime],
) -> tuple[SimulationDay, ...]:
    known = {(one.day, one.phase): one for one in phases}
    found = []
    for day in sorted({one.day for one in phases}):
        morning, evening = known.get((day, MORNING)), known.get((day, EVENING))
        forecasts = [days[day] for days in made if day in days]
        found.append(
            SimulationDay(
                day=day,
                seeded=day <= seed.last_day,
                morning_at=_moment(seed, day, MORNING, done_at) if morning else None,
                morning_rows=morning.rows if morning else None,
                predicted=bool(forecasts),
                evening_at=_moment(seed, day, EVENING, done_at) if evening else None,
                evening_rows=evening.rows if evening else None,
                evaluated=any(one.scored for one in forecasts),
            )
        )
    return tuple(found)


def _moment(seed: Seed, day: date, phase: str, done_at: dict[tuple[str, str], datetime]) -> datetime:
    """When the phase was done; the simulated moment when another program did it."""
    if day <= seed.last_day:
        return seed.at.replace(tzinfo=UTC) if seed.at.tzinfo is None else seed.at
    simulated = datetime.combine(day, time(6 if phase == MORNING else 22), UTC)
    return done_at.get((day.isoformat(), phase), simulated)
