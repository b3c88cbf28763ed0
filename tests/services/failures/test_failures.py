"""Failures: grouped by what they have in common, open until somebody handles them, open again when they occur again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.core.errors import Invalid, NotFound
from services.core.hub import HUB
from services.db.records import AuditEventRecord
from services.failures.asked import Change, FailureFilter
from services.failures.service import Failures
from services.failures.types import Failure
from services.history.store import naive
from services.knowledge.known import seeing

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RESOLVED = Change(state="resolved")


def told(found: Failure) -> tuple[str, str, str | None, str, int]:
    return found.environment, found.subject, found.task, found.headline, found.count


def test_what_differs_in_ids_and_times_is_one_failure(place):
    place.run(
        3 * DAY, "Traceback\nValueError: no rows for 2025-07-17 in run 3fa85f64-5717-4562-b3fc-2c963f66afa6"
    )
    place.run(
        2 * DAY, "Traceback\nValueError: no rows for 2025-07-18 in run 9fa85f64-5717-4562-b3fc-2c963f66afa7"
    )
    last = place.run(
        DAY, "Traceback\nValueError: no rows for 2025-07-19 in run 1fa85f64-5717-4562-b3fc-2c963f66afa8"
    )
    place.run(DAY, "Traceback\nValueError: no rows for 2025-07-19", environment="STAGING")
    place.run(DAY, "Traceback\nKeyError: 'LEVEL'")
    place.run(91 * DAY, "Traceback\nOSError: gone")
    place.run(HOUR, None)
    page = place.failures().search(FailureFilter(), sort="count")
    line = "ValueError: no rows for 2025-07-19 in run 1fa85f64-5717-4562-b3fc-2c963f66afa8"
    assert sorted(map(told, page.items)) == [
        ("DEV", "DAILY", "DAILY$ALERT", "KeyError: 'LEVEL'", 1),
        ("DEV", "DAILY", "DAILY$ALERT", line, 3),
        ("STAGING", "DAILY", "DAILY$ALERT", "ValueError: no rows for 2025-07-19", 1),
    ]
    first = page.items[0]
    assert (first.first_at, first.last_at, first.last.run_id) == (place.now - 3 * DAY, place.now - DAY, last)
    assert first.recovered_at == place.now - HOUR
    assert [count for _, count in first.by_day] == [1, 1, 1]
    assert page.counts == (("open", 3), ("acknowledged", 0), ("resolved", 0))
    occurrences = place.failures().get(first.id).occurrences
    assert [one.run_id for one in occurrences] == ["run-3", "run-2", "run-1"]


def test_refreshes_that_failed_are_failures_too(place):
    place.refresh(3 * DAY, "FAILED", "Insufficient privileges on table 'T' (query 17)")
    place.refresh(2 * DAY, "FAILED", "Insufficient privileges on table 'T' (query 18)")
    place.refresh(DAY, "UPSTREAM_FAILED", "an upstream table failed")
    place.refresh(HOUR, "SUCCEEDED")
    (found,) = place.failures().search(FailureFilter(kind="refresh")).items
    assert (found.subject, found.count, found.recovered_at) == ("LEVELS$V1", 2, place.now - HOUR)
    assert len(place.failures().get(found.id).occurrences) == 2


def test_a_resolved_failure_comes_back_with_its_next_occurrence(place):
    place.run(2 * DAY)
    service = place.failures()
    (group,) = service.search(FailureFilter()).items
    (changed,) = service.change([group.id], Change("resolved", "ada", "renamed back"), "ada")
    assert (changed.state, changed.owner, changed.note, service.open_count()) == (
        "resolved",
        "ada",
        "renamed back",
        0,
    )
    # It became known late, and is older than what was handled.
    place.run(3 * DAY)
    assert service.open_count() == 0
    place.run(HOUR)
    (again,) = service.search(FailureFilter()).items
    assert (again.state, again.reopened, again.owner, again.count) == ("open", 1, "ada", 3)
    service.change([group.id], RESOLVED, "ada")
    assert service.get(group.id).reopened == 1
    place.now += DAY
    place.run(MINUTE)
    assert (service.get(group.id).state, service.get(group.id).reopened) == ("open", 2)


def test_an_acknowledged_failure_stays_so(place):
    place.run(2 * DAY)
    service = place.failures()
    (group,) = service.search(FailureFilter()).items
    service.change([group.id], Change("acknowledged", owner="grace"), "grace")
    place.run(HOUR)
    (found,) = service.search(FailureFilter(state="acknowledged", owner="grace")).items
    assert (found.count, service.open_count(), service.open_by_place()) == (2, 0, {})
    service.change([group.id], Change("open", owner=""), "grace")
    assert service.open_by_place() == {("tides", "DEV"): 1}
    assert service.get(group.id).owner is None


def test_all_are_changed_or_none_and_the_audit_tells(place):
    place.run(DAY)
    place.run(DAY, "KeyError: 'X'")
    service = place.failures()
    groups = [one.id for one in service.search(FailureFilter()).items]
    with pytest.raises(NotFound):
        service.change([*groups, "nope"], RESOLVED, "ada")
    assert service.open_count() == 2
    service.change(groups, RESOLVED, "ada")
    assert service.open_count() == 0
    with place.database.read() as db:
        events = db.scalars(select(AuditEventRecord)).all()
    assert [(one.actor, one.action, one.detail["after"]["state"]) for one in events] == [
        ("ada", "failure.change", "resolved")
    ] * 2


@pytest.mark.parametrize(
    ("change", "ids"),
    [
        (Change(), ["x"]),
        (RESOLVED, []),
        (Change(state="gone"), ["x"]),  # type: ignore[arg-type]
        (Change(note="n" * 2001), ["x"]),
        (Change(owner="o" * 201), ["x"]),
    ],
)
def test_bad_changes_are_refused(place, change, ids):
    with pytest.raises(Invalid):
        place.failures().change(ids, change, "ada")


@pytest.mark.parametrize("sort", ["last", "first", "count"])
def test_pages_lose_and_double_nothing(place, sort):
    for number in range(7):
        for _ in range(number % 3 + 1):
            place.run(timedelta(hours=number), f"{chr(65 + number)} failed")
    service, seen, cursor = place.failures(), [], None
    while True:
        page = service.search(FailureFilter(), sort, 2, cursor)
        seen += [one.id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    with pytest.raises(Invalid):
        service.search(FailureFilter(), sort, 2, "%%%")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["fail", "late", "resolve", "acknowledge", "open"]), max_size=8), st.integers()
)
def test_the_state_is_that_of_a_simple_model(place, acts, seed):
    """The model: a resolved group is open again once a failure is newer than the newest when it was resolved."""
    spoke = f"s{abs(seed)}-{place.runs}"
    state, newest, handled = "open", place.now - 10 * DAY, None
    place.run(10 * DAY, spoke=spoke)
    service = place.failures()
    (group,) = service.search(FailureFilter(spoke=spoke)).items
    for number, act in enumerate(acts, 1):
        if act == "fail":
            newest = place.now - 10 * DAY + number * HOUR
            place.run(10 * DAY - number * HOUR, spoke=spoke)
            if state == "resolved" and newest > handled:
                state = "open"
        elif act == "late":
            place.run(20 * DAY + number * HOUR, spoke=spoke)
        else:
            state = {"resolve": "resolved", "acknowledge": "acknowledged", "open": "open"}[act]
            handled = newest if state == "resolved" else None
            service.change([group.id], Change(state=state), "ada")
        assert service.get(group.id).state == state


def test_what_somebody_else_resolved_meanwhile_has_not_come_back(place):
    place.run(DAY)
    other = place.failures()

    class Overtaken(Failures):
        """Another client resolves between this one's look and its writing."""

        def _find(self, failure_ids: Sequence[str]) -> list[Failure]:
            found = super()._find(failure_ids)
            if other.get(failure_ids[0]).state == "open":
                other.change(failure_ids, RESOLVED, "ada")
            return found

    (found,) = other.search(FailureFilter()).items
    Overtaken(place.history, place.database, lambda: place.now + MINUTE).change(
        [found.id], Change(note="looked at"), "grace"
    )
    now = other.get(found.id)
    assert (now.state, now.note, now.reopened) == ("resolved", "looked at", 0)
    place.run(HOUR)
    again = other.get(found.id)
    assert (again.state, again.reopened, again.count) == ("open", 1, 2)


def test_whoever_looks_is_told_of_the_older_of_both_readings(place):
    """Of runs an hour ago, of refreshes a day ago; a reading that found nothing has read all the same."""
    service = place.failures()
    assert seeing(lambda: service.search(FailureFilter()))[1].as_of is None
    place.run(HOUR)
    place.refresh(DAY, "FAILED", "no column")
    page, seen = seeing(lambda: service.search(FailureFilter()))
    assert (len(page.items), seen.as_of) == (2, place.now - DAY)
    assert seeing(lambda: service.get(page.items[0].id))[1].as_of == place.now - DAY
    with place.history.write() as db:
        at = naive(place.now)
        db.execute("INSERT INTO sync_marks VALUES ('live.refreshes', ?, ?, NULL)", [at, at])
    assert seeing(lambda: service.search(FailureFilter()))[1].as_of == place.now - HOUR


def test_a_view_that_the_hub_shares_is_handled_as_any_other(place):
    """Of its environment; what is nobody's elsewhere is no failure of the platform's."""
    place.refresh(2 * DAY, "FAILED", "no column", spoke=None)
    place.refresh(DAY, "FAILED", "no column", spoke=None)
    place.refresh(DAY, "FAILED", "no column", spoke=None, schema="OTHER")
    place.refresh(DAY, "FAILED", "no column")
    service = place.failures()
    (found,) = service.search(FailureFilter(spoke=HUB)).items
    assert (found.kind, found.environment, found.subject, found.count) == ("refresh", "DEV", "LEVELS$V1", 2)
    assert [count for _, count in found.by_day if count] == [1, 1]
    assert len(service.search(FailureFilter()).items) == 2
    assert [one.at for one in service.get(found.id).occurrences] == [place.now - DAY, place.now - 2 * DAY]
    service.change([found.id], RESOLVED, "ada")
    assert service.get(found.id).state == "resolved"
    place.refresh(HOUR, "FAILED", "no column", spoke=None)
    assert (service.get(found.id).state, service.get(found.id).reopened) == ("open", 1)
    place.refresh(MINUTE, "SUCCEEDED", spoke=None)
    assert service.get(found.id).recovered_at == place.now - MINUTE
