"""What is asked of costs, and budgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from usage import (
    CONTAINERS,
    PLACES,
    SERVERLESS,
    WAREHOUSE,
    Metered,
    OnHour,
    PoolHour,
    Query,
    Task,
    TaskHour,
    Usage,
    write,
)

from services.core.errors import Invalid, NotFound
from services.core.hub import load_declaration
from services.core.revision import Revision
from services.costs import asked
from services.costs.asked import CostFilter
from services.costs.rolling import catch_up, note_due, roll_up
from services.costs.service import Costs
from services.costs.types import CostGroup, RunCost
from services.db.engine import Database
from services.db.records import AuditEventRecord, Record
from services.history import History
from services.history.store import naive
from services.spokes.types import Spoke, SpokeEnvironment

NOW = datetime(2025, 7, 16, 12, tzinfo=UTC)
FIRST, LAST = date(2025, 7, 14), date(2025, 7, 16)
WEEK = CostFilter(FIRST, LAST)
CREDIT = 1_000_000_000


class Spokes:
    """Two spokes, one of which trains."""

    hub = load_declaration()
    asked = 0

    def all(self) -> tuple[Spoke, ...]:
        return tuple(
            Spoke(name, name, "", "", tuple(SpokeEnvironment(one, f"{name}_{one}", NOW) for one in there))
            for name, there in (("tides", ("DEV", "PROD")), ("dune", ("DEV",)))
        )

    def get(self, spoke: str) -> Spoke:
        for one in self.all():
            if one.name == spoke:
                return one
        raise NotFound(f"There is no spoke {spoke}")

    def scope(self, spoke: str, environment: str) -> Any:
        self.asked += 1
        graphs = {
            "DAILY": SimpleNamespace(trains="LEVEL", predicts=None),
            "WEEKLY": SimpleNamespace(trains=None, predicts="HEIGHT"),
        }
        return SimpleNamespace(manifest=SimpleNamespace(graphs=graphs))


@dataclass
class World:
    costs: Costs
    history: History
    database: Database
    spokes: Spokes


USAGE = Usage(
    metering=[
        Metered(1, WAREHOUSE, "HUB_WH", 10 * CREDIT, CREDIT),
        Metered(30, WAREHOUSE, "HUB_WH", 5 * CREDIT, 0),
        Metered(30, SERVERLESS, "T", 2 * CREDIT, 0),
        Metered(30, CONTAINERS, "P", 3 * CREDIT, 0),
        Metered(40, "AUTO_CLUSTERING", "T", 1, 0, "DUNE_DEV"),
    ],
    on=[OnHour(1, "HUB_WH", 9 * CREDIT, 6 * CREDIT), OnHour(30, "HUB_WH", 5 * CREDIT, None)],
    queries=[
        Query(1, "HUB_WH", 61, 4 * CREDIT, "t1"),
        Query(2, "HUB_WH", 62, 2 * CREDIT),
        Query(3, "HUB_WH", 1801, CREDIT, "t2"),
        Query(4, "HUB_WH", 1802, CREDIT // 2, "t3"),
    ],
    tasks=[
        Task(1, "DAILY$FIT", "1001", 60, 1),
        Task(2, "WEEKLY$SCORE", "1002", 1800, 60, ("dune", "DEV"), "EXECUTE JOB SERVICE IN COMPUTE POOL ANY"),
        Task(3, "DAILY$FIT", "1003", 1800, 60),
    ],
    task_hours=[TaskHour("DAILY$FIT", 30, 2 * CREDIT)],
    pools=[PoolHour("ANY", 30, 3 * CREDIT)],
)


@pytest.fixture
def world(history: History, tmp_path: Path) -> Iterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'catalogue.sqlite'}", revision=Revision())
    Record.metadata.create_all(database.engine)
    spokes = Spokes()
    costs = Costs(history, database, spokes, lambda: NOW)  # type: ignore[arg-type]
    with history.write() as db:
        write(db, USAGE)
        roll_up(db, USAGE.days(), PLACES)
        db.execute(
            "INSERT INTO prediction_copies (id, spoke, environment, prediction) VALUES (1, 'dune', 'DEV', 'HEIGHT')"
        )
        db.execute(
            "INSERT INTO prediction_times (copy_id, day, t, n, scored, alerts, open_alerts, body)"
            " VALUES (1, '2025-07-15', '2025-07-15', 250, 0, 0, 0, '{}'),"
            # Of other days, made within the week and out of it.
            """ (1, '2025-06-01', '2025-06-01', 150, 0, 0, 0, '{"made_at": "2025-07-14T23:59:59+00:00"}'),"""
            """ (1, '2025-07-16', '2025-07-16', 70, 0, 0, 0, '{"made_at": "2025-07-01T00:00:00+00:00"}'),"""
            """ (1, '2025-08-01', '2025-08-01', 9, 0, 0, 0, '{"made_at": null}')"""
        )
    yield World(costs, history, database, spokes)
    database.close()


def test_what_there_is(world: World) -> None:
    report = world.costs.report(WEEK)
    total = Decimal("20.000000001")
    assert (report.total, report.metering, report.account) == (total, total, total)
    assert {line.kind: (line.credits, line.attributed) for line in report.lines} == {
        "compute": (Decimal("7.5"), Decimal("5.5")),
        "idle": (3, 0),
        "serverless": (2, 2),
        "container": (3, 3),
        "cloud": (1, 0),
        "other": (Decimal("1e-9"), Decimal("1e-9")),
        "rest": (Decimal("3.5"), 0),
    }
    assert [(p.spoke, p.environment, p.total) for p in report.places] == [
        ("tides", "DEV", Decimal("6.5")),
        ("dune", "DEV", Decimal("4.000000001")),
        (None, None, Decimal("9.5")),
    ]
    assert (report.trend.starts, report.trend.step_days) == (tuple(FIRST + timedelta(n) for n in range(3)), 1)
    assert dict(report.trend.series)["compute"] == (6, Decimal("1.5"), 0)
    assert [sum(values) for values in zip(*(v for _, v in report.trend.series), strict=True)] == [
        10, Decimal("10.000000001"), 0,
    ]  # fmt: skip
    assert report.resources == ("ANY", "HUB_WH")


@pytest.mark.parametrize("current", [True, False])
def test_training_and_predicting_have_their_price(world: World, current: bool) -> None:
    """The runs are counted in the row index, and in the history without one."""
    world.history.wait_for_index()
    assert world.history.index.current
    if not current:
        world.history.index.stale()
    graphs = world.costs.graphs(WEEK)
    assert [(g.graph, g.runs, g.credits, g.role, g.subject, g.rows, g.per_row) for g in graphs] == [
        ("DAILY", 2, Decimal("6.5"), "trains", "LEVEL", None, None),
        ("WEEKLY", 1, 4, "predicts", "HEIGHT", 400, Decimal("0.01")),
    ]
    assert graphs[0].per_run == Decimal("3.25")
    asked_before = world.spokes.asked
    world.costs.graphs(WEEK)
    assert world.spokes.asked == asked_before
    only = world.costs.graphs(CostFilter(FIRST, LAST, spoke="dune"))
    assert [g.graph for g in only] == ["WEEKLY"]


@pytest.mark.parametrize("current", [True, False])
def test_runs_of_a_graph_that_belongs_to_nobody_are_counted_by_their_first_attempts(
    world: World, current: bool
) -> None:
    """And the days of the filter alone, to their last moment."""
    seen = "'live', TIMESTAMP '2025-07-17'"
    with world.history.write() as db:
        for spoke, environment, run, attempt, due in (
            (None, None, "n1", 1, "2025-07-14 00:00:00"),
            (None, None, "n1", 2, "2025-07-14 01:00:00"),
            (None, None, "n2", 1, "2025-07-14 23:59:59.999999"),
            (None, None, "n3", 1, "2025-07-15 00:00:00"),
            ("tides", "DEV", "n4", 1, "2025-07-14 02:00:00"),
        ):
            db.execute(
                "INSERT INTO graph_runs (spoke, environment, database_name, schema_name, graph, run_id, attempt,"
                " attempts, state, scheduled_at, tasks, tasks_failed, source, seen_at)"
                f" VALUES (?, ?, 'D', 'S', 'ALONE', ?, ?, 1, 'SUCCEEDED', ?, 1, 0, {seen})",
                [spoke, environment, run, attempt, due],
            )
        db.execute(
            "INSERT INTO costs_daily (day, graph, service, kind, nanos)"
            " VALUES ('2025-07-14', 'ALONE', 'WAREHOUSE_METERING', 'compute', 5)"
        )
    world.history.wait_for_index()
    if not current:
        world.history.index.stale()
    found = world.costs.graphs(CostFilter(date(2025, 7, 14), date(2025, 7, 14)))
    assert [(one.spoke, one.runs) for one in found if one.graph == "ALONE"] == [(None, 2)]


def test_runs_the_dearest_first(world: World) -> None:
    first = world.costs.runs(WEEK, 2)
    second = world.costs.runs(WEEK, 2, first.next_offset or 0)
    kinds = {"compute": Decimal("0.5"), "serverless": Decimal(2)}
    last = RunCost("tides", "DEV", "DAILY", "1003", date(2025, 7, 15), Decimal("2.5"), kinds)  # type: ignore[arg-type]
    assert [run.run_id for run in first.items] == ["1001", "1002"]
    assert (second.items, second.next_offset) == ((last,), None)
    assert world.costs.of_run("tides", "DEV", "DAILY", "1003") == last
    assert world.costs.of_run("tides", "DEV", "DAILY", "1004") is None
    assert world.costs.of_run("dune", "DEV", "DAILY", "1003") is None


def test_of_the_last_days_by_place(world: World) -> None:
    assert world.costs.by_place(7) == {
        ("tides", "DEV"): Decimal("6.5"),
        ("dune", "DEV"): Decimal("4.000000001"),
    }
    assert world.costs.by_place(2) == {
        ("tides", "DEV"): Decimal("2.5"),
        ("dune", "DEV"): Decimal("4.000000001"),
    }


@pytest.mark.parametrize(
    ("more", "total"),
    [
        ({"spoke": "tides"}, "6.5"), ({"spoke": "-"}, "9.5"), ({"kind": "idle"}, "3"), ({"graph": "DAILY"}, "6.5"),
        ({"resource": "ANY"}, "3"), ({"environment": "PROD"}, "0"), ({"spoke": "tides", "kind": "compute"}, "4.5"),
    ],
)  # fmt: skip
def test_filters_narrow_everything_but_the_accounts_sum(world: World, more: Any, total: str) -> None:
    wanted = CostFilter(FIRST, LAST, **more)
    report = world.costs.report(wanted)
    assert report.total == sum((line.credits for line in report.lines), Decimal(0)) == Decimal(total)
    assert sum((place.total for place in report.places), Decimal(0)) == Decimal(total)
    assert report.account == report.metering == Decimal("20.000000001")
    assert world.costs.group(wanted, ()).items == (CostGroup((), Decimal(total)),)
    assert sum((g.credits for g in world.costs.export(wanted, ("day", "kind"))), Decimal(0)) == Decimal(total)


def test_groups_by_page(world: World) -> None:
    whole = world.costs.group(WEEK, ("spoke", "kind", "month")).items
    parts, offset = [], 0
    while True:
        page = world.costs.group(WEEK, ("spoke", "kind", "month"), 3, offset)
        parts += page.items
        if page.next_offset is None:
            break
        offset = page.next_offset
    assert tuple(parts) == whole
    assert {key[2] for key in (one.keys for one in whole)} == {date(2025, 7, 1)}


def test_more_spokes_than_a_figure_shows_are_others(world: World) -> None:
    places = {(f"s{n:02}", "DEV"): ("HUB", f"S{n:02}_DEV") for n in range(50)}
    queries = [Query(100 + n, f"S{n:02}_DEV", 100, (n + 1) * CREDIT) for n in range(50)]
    with world.history.write() as db:
        metering = [Metered(1, WAREHOUSE, one.warehouse, one.nanos, 0) for one in queries]
        write(db, Usage(queries=queries, metering=metering))
        roll_up(db, [FIRST], places)
    report = world.costs.report(CostFilter(date(2024, 7, 17), LAST), "spoke")
    names = [key for key, _ in report.trend.series]
    assert names == [*(f"s{n}" for n in range(49, 41, -1)), "others", ""]
    assert report.trend.step_days == 7
    assert sum(sum(values) for _, values in report.trend.series) == report.total
    # dune of the second day, and nobody.
    assert report.places_count == 53
    assert len(report.places) == 50


def test_queries_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number whatever there is."""
    counted: list[str] = []
    read = world.history.read

    def counting() -> Any:
        counted.append("one")
        return read()

    world.history.wait_for_index()
    monkeypatch.setattr(world.history, "read", counting)
    world.costs.report(WEEK)
    before = len(counted)
    for number in range(20):
        world.costs.set_budget("tides", "*" if number % 2 else "DEV", number + 1, 0.5, "ada")
    with world.history.write() as db:
        write(db, Usage(queries=[Query(200 + n, f"W{n}", 100 + n, 5) for n in range(300)]))
        roll_up(db, USAGE.days(), PLACES)
    world.history.wait_for_index()
    counted.clear()
    world.costs.report(WEEK)
    assert len(counted) == before <= 11


def test_a_budget_and_the_month(world: World) -> None:
    state = world.costs.set_budget("tides", "dev", 10, 0.5, "ada")
    assert (state.budget.environment, state.month.so_far, state.fraction) == ("DEV", Decimal("6.5"), 0.65)
    assert (state.word, world.costs.alarming()) == ("warned", 1)
    assert world.costs.set_budget("tides", "DEV", 6.5, 1, "ada").word == "exceeded"
    assert world.costs.set_budget("tides", "DEV", 100, 1, "ada").word == "within"
    assert world.costs.alarming() == 0
    assert world.costs.set_budget("*", "*", 25, 0.9, "ada").month.so_far == Decimal("20.000000001")
    assert world.costs.set_budget("*", "DEV", 25, 0.9, "ada").month.so_far == Decimal("10.500000001")
    found = [(one.budget.spoke, one.budget.environment) for one in world.costs.budgets()]
    assert found == [("*", "*"), ("*", "DEV"), ("tides", "DEV")]
    world.costs.remove_budget("tides", "DEV", "bob")
    with pytest.raises(NotFound):
        world.costs.remove_budget("tides", "DEV", "bob")
    with world.database.read() as db:
        events = db.scalars(select(AuditEventRecord).order_by(AuditEventRecord.id)).all()
    first, last = events[0], events[-1]
    assert (first.actor, first.action, first.target, first.detail) == (
        "ada", "budget.set", "tides/DEV", {"before": None, "after": {"credits": 10, "warn_at": 0.5}},
    )  # fmt: skip
    assert (last.actor, last.action, last.detail) == (
        "bob", "budget.remove", {"before": {"credits": 100, "warn_at": 1}, "after": None},
    )  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [("tides", "DEV", 0, 0.5), ("tides", "DEV", float("inf"), 0.5), ("tides", "DEV", float("nan"), 0.5),
     ("tides", "DEV", 1, 0), ("tides", "DEV", 1, 1.5), ("nobody", "DEV", 1, 0.5), ("tides", "MOON", 1, 0.5)],
)  # fmt: skip
def test_what_is_no_budget(world: World, given: tuple[str, str, float, float]) -> None:
    with pytest.raises((Invalid, NotFound)):
        world.costs.set_budget(*given, "ada")
    assert world.costs.budgets() == ()


def test_days_are_whole_once_every_source_is_sure(world: World) -> None:
    """Three days are needed, and the newest ones may be told later."""
    more = [Metered(24 * n, WAREHOUSE, "HUB_WH", CREDIT, 0) for n in range(-5, 0)]
    with world.history.write() as db:
        write(db, Usage(metering=more))
        roll_up(db, [FIRST - timedelta(n) for n in range(1, 6)], PLACES)
    marks = (("usage.metering_history", NOW), ("usage.query_attribution_history", NOW - timedelta(days=4)))
    with world.history.write() as db:
        for name, at in marks:
            db.execute("INSERT INTO sync_marks VALUES (?, ?, ?, NULL)", [name, naive(at), naive(at)])
    forecast = world.costs.report(WEEK).month.forecast
    assert forecast is not None
    assert forecast.days == 3
    assert world.costs.as_of() == NOW - timedelta(days=4)
    told = {one.title: one.complete_to for one in world.costs.sources()}
    assert told["Credits of statements"] == NOW - timedelta(days=4, hours=8)


def test_a_run_that_is_not_told_of_yet_makes_no_run_cheaper(world: World) -> None:
    """Of two runs the second was due after the readings."""
    with world.history.read() as db:
        due = [at for (at,) in db.execute(
            "SELECT scheduled_at FROM graph_runs WHERE graph = 'DAILY' ORDER BY scheduled_at"
        ).fetchall()]  # fmt: skip
    assert len(due) == 2
    with world.history.write() as db:
        db.execute("DELETE FROM metering")
        for name in ("usage.metering_history", "usage.query_attribution_history"):
            at = due[1] + timedelta(hours=8)
            db.execute("INSERT INTO sync_marks VALUES (?, ?, ?, NULL)", [name, at, at])
    graph = world.costs.graphs(WEEK)[0]
    assert (graph.graph, graph.runs, graph.per_run) == ("DAILY", 1, graph.credits)


def test_what_is_due_is_reckoned_once(world: World) -> None:
    """After it was interrupted, too; the last days always."""
    early = FIRST - timedelta(days=60)
    hour = -60 * 24
    with world.history.write() as db:
        write(db, Usage(metering=[Metered(hour, WAREHOUSE, "HUB_WH", 7, 0)]))
        note_due(db, [early, early])
        note_due(db, [])
        db.execute("DELETE FROM costs_daily")
    assert catch_up(world.history, PLACES, LAST) == 4
    assert world.costs.group(CostFilter(early, early), ()).items[0].credits == Decimal("7e-9")
    assert world.costs.report(WEEK).total == Decimal("20.000000001")
    assert catch_up(world.history, PLACES, LAST) == 3


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ((None, None, None), (date(2025, 7, 1), LAST)), (("7", None, None), (date(2025, 7, 10), LAST)),
        ((None, FIRST, None), (FIRST, LAST)), (("7", None, FIRST), (date(2025, 6, 15), FIRST)),
    ],
)  # fmt: skip
def test_periods(given: Any, found: tuple[date, date]) -> None:
    assert asked.period(*given, LAST) == found


def test_what_is_no_dimension_and_too_much_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        asked.dimensions(["day", "colour"])
    monkeypatch.setattr("services.costs.service.MOST_GROUPS", 2)
    with pytest.raises(Invalid):
        world.costs.export(WEEK, ("day", "kind"))
