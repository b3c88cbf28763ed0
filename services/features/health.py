"""How feature views do: their refreshes and columns from the history, beside what is known of the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from services.core.clock import Clock, utc_now
from services.core.hub import HUB
from services.features.consumers import Lineage, MadeModel, consumed_shared, consumers
from services.features.refreshes import Course, Key, Measured, Profile, Refreshes
from services.features.repository import FeatureViews
from services.features.shared import SharedFeatures
from services.features.types import FeatureHealthPage, FeatureView, HealthState, ViewHealth
from services.history import History
from services.knowledge.known import answered_at, shown
from services.knowledge.types import NotYetKnown
from services.operations import Operations
from services.snowflake.answers import Answers
from services.snowflake.scope import Scope
from services.spokes.service import Spokes

STATES: tuple[HealthState, ...] = ("failed", "late", "suspended", "unknown", "good")
_FAILED = ("FAILED", "UPSTREAM_FAILED")


class FeatureHealth:
    """See types.py. Asks the history twice, however many views there are."""

    def __init__(
        self,
        source: Answers,
        history: History,
        spokes: Spokes,
        shared: SharedFeatures,
        lineage: Lineage,
        operations: Operations,
        clock: Clock = utc_now,
    ) -> None:
        self._views = FeatureViews(source)
        self._refreshes = Refreshes(history)
        self._spokes = spokes
        self._shared = shared
        self._lineage = lineage
        self._operations = operations
        self._clock = clock

    def views(self, spoke: str | None = None, environment: str | None = None) -> FeatureHealthPage:
        """Of all spokes and the hub, or of one spoke with what it consumes of the hub's; the worst first."""
        if environment is not None:
            environment = self._spokes.hub.environment(environment).name
        if spoke is not None:
            self._spokes.get(spoke)
        onboarded = self._spokes.onboarded()
        scopes = [scope for scope in onboarded if environment in (None, scope.environment)]
        if spoke is not None:
            scopes = [scope for scope in scopes if scope.spoke == spoke]
        unread: list[tuple[str, str]] = []
        lineage = _Remembered(self._lineage)
        hubs = self._hubs(onboarded, scopes, spoke is None, lineage, unread)
        placed = [*self._own(scopes, lineage, unread), *hubs]
        if unread and not placed:
            raise NotYetKnown
        shown(self._refreshes.as_of())
        return FeatureHealthPage(self._judged(placed), tuple(unread))

    def keep(self, measured: Iterable[Measured], at: datetime) -> int:
        """Write what was counted, as ``Refreshes.keep`` does."""
        return self._refreshes.keep(measured, at)

    def start_profile(self, spoke: str, environment: str, actor: str, view: str | None = None) -> str:
        """Submit ``features.profile``; the operation's id. NotFound 404, Invalid 422, Conflict 409."""
        name = self._spokes.scope(spoke, environment).environment
        params = {"spoke": spoke, "environment": name, "view": view}
        return self._operations.submit("features.profile", params, actor=actor).id

    def _own(self, scopes: Iterable[Scope], lineage: Lineage, unread: list[tuple[str, str]]) -> list[_Placed]:
        found = []
        for scope in scopes:
            try:
                views = self._views.read(
                    scope, scope.spoke, partial(consumers, [scope], lineage), self._clock, shapes=False
                )
            except NotYetKnown:
                unread.append((scope.spoke, scope.environment))
                continue
            at = answered_at(self._clock)
            found += [_Placed(scope, view, at) for view in views]
        return found

    def _hubs(
        self,
        onboarded: Sequence[Scope],
        scopes: Sequence[Scope],
        every: bool,
        lineage: Lineage,
        unread: list[tuple[str, str]],
    ) -> list[_Placed]:
        """The hub's own in the environments of ``scopes``: every one, or those that these consume."""
        wanted: dict[str, set[tuple[str, str]]] = {}
        for scope in scopes:
            wanted.setdefault(scope.environment, set()).update(consumed_shared(scope).items())
        found = []
        for environment, names in wanted.items():
            if not every and not names:
                continue
            scope = self._shared.scope(environment)
            readers = [one for one in onboarded if one.environment == environment]
            try:
                views = self._views.read(
                    scope, HUB, partial(consumers, readers, lineage), self._clock, shapes=False
                )
            except NotYetKnown:
                unread.append((HUB, environment))
                continue
            at = answered_at(self._clock)
            found += [
                _Placed(scope, view, at) for view in views if every or (view.name, view.version) in names
            ]
        return found

    def _judged(self, placed: Sequence[_Placed]) -> tuple[ViewHealth, ...]:
        names = {one.key[2] for one in placed}
        courses = self._refreshes.courses(names, self._clock())
        profiles = self._refreshes.profiles(names)
        as_of = self._refreshes.as_of()
        found = [
            judge(
                one.view,
                one.scope.environment,
                courses.get(one.key),
                profiles.get(one.key),
                _later(one.at, as_of),
            )
            for one in placed
        ]
        return tuple(sorted(found, key=_worst_first))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A view, where it is, and when the account told of it."""

    scope: Scope
    view: FeatureView
    at: datetime

    @property
    def key(self) -> Key:
        store = self.scope.feature_store
        return store.schema or "", store.name, f"{self.view.name}${self.view.version}"


@dataclass
class _Remembered:
    """A lineage that is asked once for each spoke and environment."""

    lineage: Lineage
    told: dict[tuple[str, str], Sequence[MadeModel] | None] = field(default_factory=dict)

    def models(self, spoke: str, environment: str) -> Sequence[MadeModel]:
        if (spoke, environment) not in self.told:
            try:
                self.told[spoke, environment] = self.lineage.models(spoke, environment)
            except NotYetKnown:
                self.told[spoke, environment] = None
        found = self.told[spoke, environment]
        if found is None:
            raise NotYetKnown
        return found


def judge(
    view: FeatureView, environment: str, course: Course | None, profile: Profile | None, as_of: datetime
) -> ViewHealth:
    """The health of a view: SHOW told of its data and whether it is suspended, the history of its refreshes."""
    course = course or Course()
    data = max((one for one in (view.last_refreshed_at, course.data_timestamp) if one), default=None)
    lag = None if data is None else max((as_of - data).total_seconds(), 0.0)
    target = view.target_lag_seconds or course.target_lag_seconds
    overdue = lag is not None and target is not None and lag > target
    suspended = (view.scheduling_state or "").upper().startswith("SUSPEND")
    # What has failed since the last success has been counted as late by the history already.
    counted = course.missed_at is not None and (
        course.succeeded_at is None or course.missed_at > course.succeeded_at
    )
    now_missed = int(overdue and not suspended and not counted)
    # SHOW needs no warehouse and is read more often: data newer than the last refresh that was told of are another's.
    newest = course.refreshes[-1] if course.refreshes else None
    renewed = (
        newest is not None
        and view.last_refreshed_at is not None
        and view.last_refreshed_at > newest.started_at
    )
    state: HealthState = "good"
    if view.kind != "VIEW":
        if course.last_state in _FAILED and not renewed:
            state = "failed"
        elif suspended:
            state = "suspended"
        elif overdue:
            state = "late"
        elif lag is None:
            state = "unknown"
    failed_at, failure, code = course.failure or (None, None, None)
    return ViewHealth(
        provider=view.provider,
        environment=environment,
        name=view.name,
        version=view.version,
        kind=view.kind,
        state=state,
        as_of=as_of,
        scheduling_state=view.scheduling_state,
        refresh=view.refresh,
        lag_seconds=lag,
        target_lag_seconds=target,
        last_refreshed_at=view.last_refreshed_at
        if renewed
        else course.succeeded_at or view.last_refreshed_at,
        rows=view.rows,
        refreshes=course.refreshes,
        missed_7=course.missed_7 + now_missed,
        missed_30=course.missed_30 + now_missed,
        failed_7=course.failed_7,
        failed_30=course.failed_30,
        failed_at=failed_at,
        failure=failure,
        failure_code=code,
        rows_inserted_7=course.rows_inserted_7,
        rows_deleted_7=course.rows_deleted_7,
        profiled_at=profile.at if profile else None,
        profiled_before_at=profile.before_at if profile else None,
        columns=profile.columns if profile else (),
        consumers=view.consumers,
    )


def _later(one: datetime, other: datetime | None) -> datetime:
    return one if other is None else max(one, other)


def _worst_first(one: ViewHealth) -> tuple[int, int, int, str, str, str, str]:
    place = STATES.index(one.state)
    return place, -one.failed_7, -one.missed_7, one.name, one.version, one.provider, one.environment
