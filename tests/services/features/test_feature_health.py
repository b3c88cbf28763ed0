"""How feature views do, from what an account listed and from what the history holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.core.hub import load_declaration
from services.features.health import FeatureHealth
from services.features.profiling import statement
from services.features.refreshes import KEPT_PROFILES, Measured, Refreshes
from services.features.shared import SharedFeatures
from services.features.types import ColumnProfile, Consumer, FeatureColumn, Refresh, ViewHealth
from services.history import History
from services.history.store import naive
from services.knowledge.types import NotYetKnown
from services.snowflake.identifiers import QualifiedName
from services.snowflake.scope import Scope, feature_store

NOW = datetime(2025, 7, 20, 12, tzinfo=UTC)
HUB = load_declaration()
STORE = feature_store(HUB, "DEV")
KEY = (STORE.schema or "", STORE.name, "A__LEVELS$V1")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Of SHOW: the data of the first refresh, and none newer.
OLD = {"data_timestamp": NOW - 9 * HOUR}
_REFRESH = (
    "INSERT INTO refreshes (database_name, schema_name, name, state, state_code, state_message, data_timestamp,"
    " started_at, ended_at, completion_target, target_lag_seconds, rows_inserted, rows_deleted, source, seen_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'live', ?)"
)


def listed(name: str, **more: Any) -> dict[str, Any]:
    """A row of SHOW DYNAMIC TABLES whose data are ten minutes old."""
    return {
        "name": name, "created_on": NOW - 40 * DAY, "comment": "", "owner": "R", "text": "", "rows": 100,
        "data_timestamp": NOW - timedelta(minutes=10), "target_lag": "1 hour", "scheduling_state": "ACTIVE", **more,
    }  # fmt: skip


class Account:
    """Lists dynamic tables by the prefix that is asked for; of ``unread`` nothing is known."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.unread: set[str] = set()

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        prefix = text.split("'")[1].replace("\\", "").rstrip("%")
        if prefix in self.unread:
            raise NotYetKnown
        return [row for row in self.rows if "DYNAMIC" in text and row["name"].startswith(prefix)]


class World:
    """A history, an account and spokes, each with one feature view."""

    def __init__(self, path: Path, spokes: int = 1) -> None:
        self.history = History(path / "history.duckdb")
        self.history.open()
        self.account = Account(*(listed(f"{name}__LEVELS$V1") for name in "ABCDEFGH"[:spokes]))
        self.lineage: dict[str, list[SimpleNamespace]] = {}
        self.asked: list[str] = []
        self.scopes = tuple(scope(name) for name in "abcdefgh"[:spokes])

    def models(self, spoke: str, environment: str) -> list[SimpleNamespace]:
        self.asked.append(spoke)
        return [SimpleNamespace(versions=self.lineage.get(spoke, []))]

    def health(self) -> FeatureHealth:
        nobody: Any = None
        spokes: Any = SimpleNamespace(onboarded=lambda: self.scopes, hub=HUB, get=lambda spoke: None)
        lineage: Any = SimpleNamespace(models=self.models)
        shared = SharedFeatures(HUB, nobody, self.account, spokes, lineage, nobody)
        return FeatureHealth(self.account, self.history, spokes, shared, lineage, nobody, lambda: NOW)

    def one(self) -> ViewHealth:
        (found,) = self.health().views("a", "DEV").items
        return found

    def refresh(
        self,
        ago: timedelta,
        state: str = "SUCCEEDED",
        *,
        late: timedelta | None = None,
        name: str = KEY[2],
        message: str | None = None,
        target: datetime | None = None,
        took: timedelta = timedelta(seconds=30),
    ) -> None:
        """A refresh that began so long ago; ``late`` is by how much it ended after its target."""
        began = NOW - ago
        ended = None if state == "EXECUTING" else began + took
        if late is not None and ended is not None:
            target = ended - late
        values = [
            KEY[0], KEY[1], name, state, "100038" if message else None, message, naive(began), naive(began),
            naive(ended), naive(target), 3600, 5, 2, naive(NOW),
        ]  # fmt: skip
        with self.history.write() as db:
            db.execute(_REFRESH, values)


def scope(spoke: str, shared: dict[str, str] | None = None) -> Scope:
    views = {"LEVELS": SimpleNamespace(consumes="V1")}
    manifest: Any = SimpleNamespace(shared_features=shared or {}, feature_views=views)
    return Scope(HUB, spoke, "DEV", manifest)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.history.close()


def measured(rows: int, nulls: int, distinct: int | None, key: tuple[str, str, str] = KEY) -> Measured:
    return Measured(key, "a", "DEV", rows, (("LEVEL", nulls, distinct), ("AT", 0, None)))


def test_all_that_is_known_of_a_view(world: World) -> None:
    world.lineage["a"] = [
        SimpleNamespace(model="M", version="2", feature_views=("A__LEVELS$V1",), dataset="D$1")
    ]
    trace = 'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: no rows'
    world.refresh(20 * DAY, "FAILED", message=trace, target=NOW)
    world.refresh(3 * HOUR, late=timedelta(minutes=5))
    world.refresh(2 * HOUR, target=NOW)
    world.health().keep([measured(90, 9, 20)], NOW - DAY)
    world.health().keep([measured(100, 20, 25)], NOW - HOUR)
    assert world.one() == ViewHealth(
        provider="a",
        environment="DEV",
        name="A__LEVELS",
        version="V1",
        kind="DYNAMIC TABLE",
        state="good",
        as_of=NOW,
        scheduling_state="ACTIVE",
        refresh="1 hour",
        lag_seconds=600.0,
        target_lag_seconds=3600.0,
        last_refreshed_at=NOW - timedelta(minutes=10),
        rows=100,
        refreshes=(
            Refresh(
                "FAILED", NOW - 20 * DAY, NOW - 20 * DAY + timedelta(seconds=30), 30.0, False, 5, 2,
                "ValueError: no rows",
            ),
            Refresh("SUCCEEDED", NOW - 3 * HOUR, NOW - 3 * HOUR + timedelta(seconds=30), 30.0, True, 5, 2),
            Refresh("SUCCEEDED", NOW - 2 * HOUR, NOW - 2 * HOUR + timedelta(seconds=30), 30.0, False, 5, 2),
        ),
        missed_7=1,
        missed_30=1,
        failed_7=0,
        failed_30=1,
        failed_at=NOW - 20 * DAY + timedelta(seconds=30),
        failure="ValueError: no rows",
        failure_code="100038",
        rows_inserted_7=10,
        rows_deleted_7=4,
        profiled_at=NOW - HOUR,
        profiled_before_at=NOW - DAY,
        columns=(
            ColumnProfile("AT", 100, 0, None, 90, 0, None),
            ColumnProfile("LEVEL", 100, 20, 25, 90, 9, 20),
        ),
        consumers=(Consumer("a", "DEV", True, ("M$2",), ("D$1",)),),
    )  # fmt: skip


def test_the_last_thirty_refreshes_are_shown(world: World) -> None:
    for number in range(40):
        world.refresh((40 - number) * HOUR)
    found = world.one().refreshes
    assert [one.started_at for one in found] == [NOW - (30 - number) * HOUR for number in range(30)]


@pytest.mark.parametrize(
    ("states", "row", "wanted"),
    [
        (("FAILED", "SUCCEEDED"), {}, ("good", 0)),
        (("SUCCEEDED", "FAILED"), OLD, ("failed", 1)),
        (("SUCCEEDED", "FAILED", "CANCELLED", "EXECUTING"), OLD, ("failed", 1)),
        (("SUCCEEDED", "UPSTREAM_FAILED"), OLD, ("failed", 1)),
        (("SUCCEEDED", "FAILED"), {**OLD, "scheduling_state": "SUSPENDED"}, ("failed", 0)),
        # Refreshed since, and not told of yet.
        (("SUCCEEDED", "FAILED"), {}, ("good", 0)),
        (("SUCCEEDED",), {"data_timestamp": NOW - 9 * HOUR}, ("late", 1)),
        ((), {"data_timestamp": NOW - 9 * HOUR, "scheduling_state": "SUSPENDED"}, ("suspended", 0)),
        ((), {"data_timestamp": None}, ("unknown", 0)),
        ((), {"target_lag": "DOWNSTREAM", "data_timestamp": NOW - 9 * HOUR}, ("good", 0)),
    ],
)
def test_the_state_of_a_view(
    world: World, states: tuple[str, ...], row: dict[str, Any], wanted: tuple[str, int]
) -> None:
    for place, state in enumerate(states):
        world.refresh((9 - place) * HOUR, state, target=NOW)
    # What SHOW told is newer than the refreshes, but for the cases that say otherwise.
    world.account.rows = (listed(KEY[2], **row),)
    found = world.one()
    assert (found.state, found.missed_7) == wanted


def test_a_target_that_several_refreshes_missed_is_one_missed_lag(world: World) -> None:
    world.account.rows = (listed(KEY[2], data_timestamp=NOW - 4 * HOUR),)
    world.refresh(4 * HOUR, target=NOW)
    for number in (3, 2):
        world.refresh(number * HOUR, "FAILED", target=NOW - 4 * HOUR, message="No")
    found = world.one()
    # The data are too old now, which is the same target once more.
    assert (found.state, found.lag_seconds, found.missed_7, found.failed_7) == ("failed", 4 * 3600.0, 1, 2)
    world.refresh(9 * DAY, late=HOUR)
    assert (world.one().missed_7, world.one().missed_30) == (1, 2)


def test_without_a_target_data_older_than_the_lag_are_late(world: World) -> None:
    world.refresh(9 * HOUR, took=2 * HOUR)
    world.refresh(5 * HOUR, took=HOUR / 2)
    found = world.one()
    assert ([one.late for one in found.refreshes], found.missed_7) == ([True, False], 1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    refreshes=st.lists(
        st.tuples(
            st.integers(1, 40 * 24),
            st.sampled_from(["SUCCEEDED", "FAILED", "EXECUTING", "CANCELLED"]),
            st.integers(-2, 2),
        ),
        max_size=12,
        unique_by=lambda one: one[0],
    )
)
def test_counts_are_those_of_the_rows(world: World, refreshes: list[tuple[int, str, int]]) -> None:
    with world.history.write() as db:
        db.execute("DELETE FROM refreshes")
    for hours, state, late in refreshes:
        world.refresh(hours * HOUR, state, late=late * HOUR)
    course = Refreshes(world.history).courses([KEY[2]], NOW).get(KEY)
    if not refreshes:
        assert course is None
        return
    assert course is not None
    over = [(hours, state, late) for hours, state, late in refreshes if state != "EXECUTING"]
    missed = {(-hours - late): hours for hours, _, late in over if late > 0}
    assert course.missed_30 == sum(hours <= 30 * 24 for hours in missed.values())
    assert course.failed_7 == sum(state == "FAILED" and hours <= 7 * 24 for hours, state, _ in refreshes)
    assert course.failed_30 == sum(state == "FAILED" and hours <= 30 * 24 for hours, state, _ in refreshes)
    assert course.rows_inserted_7 == 5 * sum(hours <= 7 * 24 for hours, _, _ in refreshes)
    ended = sorted((hours, state) for hours, state, _ in over if state in ("SUCCEEDED", "FAILED"))
    assert course.last_state == (ended[0][1] if ended else None)


def test_the_worst_come_first_and_what_is_unread_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, 4)
    world.scopes = (*world.scopes[:3], scope("d", {"CALENDAR": "V1"}))
    world.account.rows = (
        listed("A__LEVELS$V1"),
        listed("B__LEVELS$V1", scheduling_state="SUSPENDED"),
        listed("D__LEVELS$V1", data_timestamp=NOW - 2 * HOUR),
        listed("SHARED__CALENDAR$V1", data_timestamp=NOW - DAY),
        listed("SHARED__CELLS$V1"),
    )
    world.account.unread = {"C__"}
    world.refresh(HOUR, "FAILED", name="D__LEVELS$V1", message="No")
    found = world.health().views()
    assert [(one.provider, one.name, one.state) for one in found.items] == [
        ("d", "D__LEVELS", "failed"),
        ("hub", "SHARED__CALENDAR", "late"),
        ("b", "B__LEVELS", "suspended"),
        ("a", "A__LEVELS", "good"),
        ("hub", "SHARED__CELLS", "good"),
    ]
    assert found.items[1].consumers == (Consumer("d", "DEV", True),)
    assert found.unread == (("c", "DEV"),)
    world.scopes = (world.scopes[3],)
    assert [one.name for one in world.health().views("d").items] == ["D__LEVELS", "SHARED__CALENDAR"]
    assert world.health().views(environment="PROD").items == ()
    world.history.close()


def test_nothing_read_is_not_nothing_there(world: World) -> None:
    world.account.unread = {"A__"}
    world.account.rows = ()
    with pytest.raises(NotYetKnown):
        world.health().views("a", "DEV")


def counting(read: Any, asked: list[str]) -> Any:
    """``History.read`` that notes each statement."""

    @contextmanager
    def reading() -> Iterator[Any]:
        with read() as cursor:

            def execute(text: str, values: Any = ()) -> Any:
                asked.append(text)
                return cursor.execute(text, values)

            yield SimpleNamespace(execute=execute)

    return reading


def test_the_number_of_queries_is_that_of_one_spoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two and the age, whatever there is; the models of a spoke are asked for once."""
    counts = []
    for spokes in (1, 8):
        world = World(tmp_path / str(spokes), spokes)
        second = [listed(f"{name}__LEVELS$V2") for name in "ABCDEFGH"[:spokes]]
        world.account.rows = (*world.account.rows, *second, listed("SHARED__CELLS$V1"))
        for name in "ABCDEFGH"[:spokes]:
            for number in range(5):
                world.refresh((number + 1) * HOUR, name=f"{name}__LEVELS$V1")
            world.health().keep([measured(1, 1, 1, (*KEY[:2], f"{name}__LEVELS$V1"))], NOW)
        asked: list[str] = []
        world.history.wait_for_index()
        monkeypatch.setattr(world.history, "read", counting(world.history.read, asked))
        assert len(world.health().views().items) == 2 * spokes + 1
        assert sorted(world.asked) == sorted("abcdefgh"[:spokes])
        counts.append(len(asked))
        monkeypatch.undo()
        world.history.close()
    assert counts == [3, 3]


def test_profiles_are_kept_once_and_not_for_ever(world: World) -> None:
    refreshes = Refreshes(world.history)
    other = (KEY[0], KEY[1], "B__LEVELS$V1")
    refreshes.keep([measured(1, 0, 1, other)], NOW - 400 * DAY)
    for number in range(KEPT_PROFILES + 3):
        refreshes.keep([measured(number, 0, 1)], NOW + number * HOUR)
    last = NOW + (KEPT_PROFILES + 2) * HOUR
    # The step is done again after the process died behind the commit.
    assert refreshes.keep([measured(KEPT_PROFILES + 2, 0, 1)], last) == 2
    rows = world.history.rows(
        "SELECT name, count(*) AS n, min(rows) AS oldest FROM column_statistics GROUP BY name ORDER BY name"
    )
    assert rows == [
        {"name": "A__LEVELS$V1", "n": 2 * KEPT_PROFILES, "oldest": 3},
        {"name": "B__LEVELS$V1", "n": 2, "oldest": 1},
    ]


def test_a_write_that_breaks_off_leaves_nothing(world: World) -> None:
    broken = replace(measured(1, 0, 1), columns=(("LEVEL", 0, 1), ("AT", None, None)))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        Refreshes(world.history).keep([measured(1, 0, 1), broken], NOW)
    assert world.history.rows("SELECT * FROM column_statistics") == []


def test_one_statement_counts_all_columns_of_a_view() -> None:
    columns = [
        FeatureColumn("LEVEL", "FLOAT"),
        FeatureColumn('odd "name', "VARCHAR(9)"),
        FeatureColumn("V", "VECTOR(FLOAT, 3)"),
    ]
    assert statement(QualifiedName("A__L$V1", "FS", "DB"), columns) == (
        "SELECT COUNT(*), COUNT(LEVEL), APPROX_COUNT_DISTINCT(LEVEL),"
        ' COUNT("odd ""name"), APPROX_COUNT_DISTINCT("odd ""name"), COUNT(V) FROM DB.FS.A__L$V1'
    )


def test_what_was_read_holds_until_something_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.account.rows = (listed(KEY[2], **OLD),)
    health = world.health()
    world.refresh(HOUR)
    before = health.views("a", "DEV")
    with monkeypatch.context() as patch:
        patch.setattr(world.history, "read", lambda: pytest.fail("memory has it"))
        assert health.views("a", "DEV") == before
    world.refresh(HOUR / 2, "FAILED")
    health.keep([measured(1, 0, 1)], NOW)
    (found,) = health.views("a", "DEV").items
    assert (found.state, len(found.refreshes), len(found.columns)) == ("failed", 2, 2)
