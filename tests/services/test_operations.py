"""Operations as their callers see them, on the real queue."""

import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbos._sys_db import SystemDatabase
from pydantic import field_validator, model_validator
from sqlalchemy import select

from services.core.errors import Conflict, Invalid, NotFound, SpokehubError, Unavailable
from services.db.engine import Database
from services.db.records import AuditEventRecord
from services.operations import (
    OperationFilter,
    OperationKind,
    Operations,
    OperationState,
    Params,
    Registry,
    Step,
    StepContext,
    queue,
)


class Target(Params):
    spoke: str = "pudo"
    environment: str = "DEV"
    number: int = 0


class Range(Params):
    first: int = 0
    last: int = 9

    @field_validator("first")
    @classmethod
    def _begins(cls, value: int) -> int:
        if value < 0:
            raise ValueError("a range begins at 0")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.first > self.last:
            raise ValueError("first comes before last")
        return self


def kind(
    name: str, *functions: Callable[[StepContext, Target], Any], **options: Any
) -> OperationKind[Target]:
    steps = [Step(f.__name__.strip("_"), f.__name__.strip("_").title(), f) for f in functions]
    options.setdefault("queue_key", lambda p: f"{p.spoke}/{p.environment}")
    return OperationKind(name, name.title(), Target, steps, **options)


@pytest.fixture
def start(database: Database, tmp_path: Path) -> Iterator[Callable[..., Operations]]:
    started: list[Operations] = []

    def _start(*kinds: OperationKind[Any]) -> Operations:
        url = f"sqlite:///{tmp_path / 'operations.sqlite'}"
        operations = Operations(Registry(kinds), database, url=url)
        operations.start()
        started.append(operations)
        return operations

    yield _start
    for operations in started:
        assert operations.stop(5)


def messages(operations: Operations, operation_id: str) -> list[str]:
    lines = operations.log(operation_id).items
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    return [line.message for line in lines]


def test_steps_run_in_order_and_pass_results_on(start: Callable[..., Operations]) -> None:
    def first(context: StepContext, params: Target) -> Any:
        context.log("one")
        context.progress(1.0, "done")
        context.sql("SELECT 1", "q-1", 0.5, 1)
        return {"value": params.number}

    def second(context: StepContext, params: Target) -> Any:
        return {"doubled": context.result_of("first")["value"] * 2}

    operations = start(kind("thing.do", first, second))
    view = operations.submit("thing.do", {"number": 21}, actor="ada")
    done = operations.wait(view.id)
    assert (done.state, done.result) == (OperationState.SUCCEEDED, {"doubled": 42})
    assert (done.spoke, done.environment, done.progress, done.run) == ("pudo", "DEV", 1.0, 1)
    assert [(s.name, s.state, s.attempts, s.progress) for s in done.steps] == [
        ("first", "succeeded", 1, 1.0),
        ("second", "succeeded", 1, 1.0),
    ]
    assert done.started_at is not None
    assert done.ended_at is not None
    assert done.created_at <= done.started_at <= done.ended_at
    assert messages(operations, view.id) == ["First", "one", "Second", "Operation succeeded"]
    [sql] = operations.sql(view.id).items
    assert (sql.seq, sql.step, sql.text, sql.query_id, sql.seconds, sql.rows) == (
        1, "first", "SELECT 1", "q-1", 0.5, 1,
    )  # fmt: skip


def test_a_failed_operation_resumes_at_the_failed_step(start: Callable[..., Operations]) -> None:
    calls: list[str] = []
    pressed = threading.Event()

    def first(context: StepContext, params: Target) -> Any:
        calls.append("first")
        return 1

    def second(context: StepContext, params: Target) -> Any:
        calls.append("second")
        context.log("trying")
        if calls.count("second") == 1:
            raise Conflict("not yet", hint="wait", detail={"why": "early"})
        assert pressed.wait(20)
        return 2

    operations = start(kind("thing.do", first, second))
    view = operations.submit("thing.do", Target(), actor="ada")
    failed = operations.wait(view.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert (failed.error.code, failed.error.message, failed.error.hint, failed.error.detail) == (
        "conflict", "not yet", "wait", {"why": "early"},
    )  # fmt: skip
    assert [s.state for s in failed.steps] == ["succeeded", "failed"]
    # The second press finds the first.
    assert [operations.resume(view.id, "bob").run for _ in range(2)] == [2, 2]
    pressed.set()
    done = operations.wait(view.id)
    assert (done.state, done.result, done.error, done.run) == ("succeeded", 2, None, 2)
    assert calls == ["first", "second", "second"]
    assert [s.attempts for s in done.steps] == [1, 2]
    assert messages(operations, view.id) == [
        "First", "Second", "trying", "not yet", "Operation failed", "Resumed by bob",
        "Second (attempt 2)", "trying", "Operation succeeded",
    ]  # fmt: skip
    with pytest.raises(Conflict, match="this one is succeeded"):
        operations.resume(view.id, "bob")


def test_an_unforeseen_error_says_where(start: Callable[..., Operations]) -> None:
    def first(context: StepContext, params: Target) -> Any:
        return {"a": 1}["b"]

    operations = start(kind("thing.do", first))
    failed = operations.wait(operations.submit("thing.do", {}, actor="ada").id)
    assert failed.error is not None
    assert (failed.error.code, failed.error.message) == ("step_error", "KeyError: 'b'")
    assert failed.error.detail["where"].startswith("tests/services/test_operations.py:")


def test_a_result_that_json_cannot_hold_fails_the_step(start: Callable[..., Operations]) -> None:
    def first(context: StepContext, params: Target) -> Any:
        return {"a": object()}

    operations = start(kind("thing.do", first))
    failed = operations.wait(operations.submit("thing.do", {}, actor="ada").id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert "serialize" in failed.error.message


def test_only_lost_connections_are_tried_again(start: Callable[..., Operations]) -> None:
    calls: list[int] = []

    def first(context: StepContext, params: Target) -> Any:
        calls.append(context.attempt)
        context.log("connecting")
        if len(calls) < 3:
            raise Unavailable("gone") if len(calls) == 1 else ConnectionResetError("reset")
        return "ok"

    operations = start(kind("thing.do", first))
    done = operations.wait(operations.submit("thing.do", {}, actor="ada").id)
    assert (done.result, calls, done.steps[0].attempts) == ("ok", [1, 2, 3], 3)
    assert messages(operations, done.id).count("connecting") == 1


def test_one_key_runs_one_at_a_time_and_others_beside_it(start: Callable[..., Operations]) -> None:
    running: dict[str, int] = {}
    most: dict[str, int] = {}
    both = threading.Barrier(2, timeout=20)
    lock = threading.Lock()

    def first(context: StepContext, params: Target) -> Any:
        with lock:
            running[params.spoke] = running.get(params.spoke, 0) + 1
            most[params.spoke] = max(most.get(params.spoke, 0), running[params.spoke])
        if params.number == 0:
            both.wait()
        time.sleep(0.05)
        with lock:
            running[params.spoke] -= 1
        return params.number

    operations = start(kind("thing.do", first))
    ids = [
        operations.submit("thing.do", {"spoke": spoke, "number": n}, actor="ada").id
        for spoke in ("a", "b")
        for n in range(3)
    ]
    views = [operations.wait(i) for i in ids]
    assert [v.result for v in views] == [0, 1, 2, 0, 1, 2]
    assert most == {"a": 1, "b": 1}
    starts = [v.started_at for v in views[:3]]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("sent", "said", "faults"),
    [
        (
            {"first": -1},
            "first: a range begins at 0",
            [{"field": "first", "message": "a range begins at 0"}],
        ),
        (
            {"first": 7, "last": 3},
            "first comes before last",
            [{"field": "", "message": "first comes before last"}],
        ),
    ],
)
def test_parameters_are_refused_in_the_words_of_their_check(
    start: Callable[..., Operations], sent: dict[str, int], said: str, faults: list[dict[str, str]]
) -> None:
    def first(context: StepContext, params: Range) -> Any:
        return None

    operations = start(
        OperationKind("range.do", "Range", Range, [Step("first", "First", first)], lambda params: "range")
    )
    with pytest.raises(Invalid) as refused:
        operations.submit("range.do", sent, actor="ada")
    assert (refused.value.message, refused.value.detail) == (said, faults)


def test_preconditions_are_checked_before_anything_is_written(start: Callable[..., Operations]) -> None:
    def first(context: StepContext, params: Target) -> Any:
        return None

    def check(params: Target) -> None:
        raise Conflict("the registry says no")

    operations = start(kind("thing.do", first, validate=check))
    with pytest.raises(Conflict, match="the registry says no"):
        operations.submit("thing.do", {}, actor="ada", idempotency_key="k")
    with pytest.raises(Invalid, match=r"number: Input should be a valid integer"):
        operations.submit("thing.do", {"number": "x"}, actor="ada")
    with pytest.raises(Invalid, match="Extra inputs"):
        operations.submit("thing.do", {"colour": "red"}, actor="ada")
    with pytest.raises(Invalid, match=r"There is no operation thing\.undo"):
        operations.submit("thing.undo", {}, actor="ada")
    assert operations.list().items == ()


def test_an_idempotency_key_starts_one_operation(
    start: Callable[..., Operations], database: Database
) -> None:
    def first(context: StepContext, params: Target) -> Any:
        return params.number

    operations = start(kind("thing.do", first))
    one = operations.submit("thing.do", {"number": 1}, actor="ada", idempotency_key="k")
    again = operations.submit("thing.do", {"number": 1}, actor="ada", idempotency_key="k")
    operations.wait(one.id)
    other = operations.submit("thing.do", {"number": 1}, actor="bob", idempotency_key="k")
    late = operations.submit("thing.do", {"number": 1}, actor="ada", idempotency_key="k")
    assert again.id == late.id == one.id != other.id
    with pytest.raises(Conflict, match="used for another request"):
        operations.submit("thing.do", {"number": 2}, actor="ada", idempotency_key="k")
    operations.wait(other.id)
    with database.read() as db:
        events = db.scalars(select(AuditEventRecord).order_by(AuditEventRecord.id)).all()
        assert [(e.action, e.actor, e.operation_id) for e in events] == [
            ("thing.do.submit", "ada", one.id),
            ("thing.do.submit", "bob", other.id),
        ]


def test_cancel_stops_what_runs_and_what_waits(start: Callable[..., Operations]) -> None:
    entered = threading.Event()

    def first(context: StepContext, params: Target) -> Any:
        entered.set()
        context.sleep(60)

    def second(context: StepContext, params: Target) -> Any:
        return "never"

    operations = start(kind("thing.do", first, second))
    running = operations.submit("thing.do", {}, actor="ada")
    waiting = operations.submit("thing.do", {"number": 1}, actor="ada")
    assert entered.wait(20)
    assert operations.cancel(waiting.id, "bob").state == "cancelled"
    assert operations.cancel(running.id, "bob").cancelling
    done = operations.wait(running.id)
    assert done.state == "cancelled"
    assert [s.state for s in done.steps] == ["cancelled", "pending"]
    with pytest.raises(Conflict, match="over"):
        operations.cancel(running.id, "bob")
    assert [s.attempts for s in operations.wait(waiting.id).steps] == [0, 0]


def test_what_is_cancelled_ends_what_it_has_going_elsewhere(database: Database, tmp_path: Path) -> None:
    """Also when the service is stopped while it does so, and when no step is at work."""
    entered, ending, going, stops = threading.Event(), threading.Event(), threading.Event(), []

    def first(context: StepContext, params: Target) -> Any:
        going.set()

    def second(context: StepContext, params: Target) -> Any:
        entered.set()
        context.sleep(60)

    def end(context: StepContext, params: Target) -> None:
        stops.append(context.step)
        context.log("ending it")
        if len(stops) == 1:
            ending.set()
            context.sleep(60)
        if len(stops) == 2:
            raise ConnectionResetError("reset")
        going.clear()

    url = f"sqlite:///{tmp_path / 'operations.sqlite'}"
    steps = [Step("first", "First", first), Step("second", "Second", second, end)]
    registry = Registry([OperationKind("thing.do", "Do", Target, steps, queue_key=lambda p: "key")])
    before = Operations(registry, database, url=url)
    before.start()
    view = before.submit("thing.do", {}, actor="ada")
    assert entered.wait(20)
    before.cancel(view.id, "bob")
    assert ending.wait(20)
    assert before.stop(5)
    assert (before.get(view.id).state, going.is_set()) == ("running", True)
    after = Operations(registry, database, url=url)
    after.start()
    try:
        done = after.wait(view.id)
    finally:
        after.stop(5)
    assert (done.state, [step.state for step in done.steps]) == ("cancelled", ["succeeded", "cancelled"])
    assert (going.is_set(), stops) == (False, ["second"] * 3)
    assert messages(after, view.id).count("ending it") == 1


def test_what_cannot_be_ended_is_not_cancelled(start: Callable[..., Operations]) -> None:
    def first(context: StepContext, params: Target) -> Any:
        context.sleep(60)

    def end(context: StepContext, params: Target) -> None:
        raise Conflict("it goes on")

    step = Step("first", "First", first, end)
    operations = start(OperationKind("thing.do", "Do", Target, [step], queue_key=lambda p: "key"))
    view = operations.submit("thing.do", {}, actor="ada")
    while operations.get(view.id).state != "running":
        time.sleep(0.01)
    operations.cancel(view.id, "bob")
    done = operations.wait(view.id)
    assert done.error is not None
    assert (done.state, done.error.message, done.can_resume) == ("failed", "it goes on", True)


def test_children_run_once_and_are_resumed_with_their_parent(start: Callable[..., Operations]) -> None:
    calls: list[str] = []

    def work(context: StepContext, params: Target) -> Any:
        calls.append(f"work {params.number}")
        if params.number == 2 and calls.count("work 2") == 1:
            raise SpokehubError("broken", hint="mend it", code="odd")
        return params.number * 10

    def lead(context: StepContext, params: Target) -> Any:
        calls.append("lead")
        one = context.run_child("part.do", {"number": 1}, "one")
        return [one, context.run_child("part.do", {"number": 2}, "two")]

    operations = start(kind("part.do", work), kind("whole.do", lead, queue_key=lambda p: "whole"))
    whole = operations.submit("whole.do", {}, actor="ada")
    failed = operations.wait(whole.id)
    assert failed.error is not None
    assert (failed.error.code, failed.error.message, failed.error.hint) == (
        "odd", "Part.Do: broken", "mend it",
    )  # fmt: skip
    children = operations.list(OperationFilter(parent=whole.id)).items
    assert [(c.state, c.parent_step, c.actor) for c in children] == [
        ("failed", "lead", "ada"),
        ("succeeded", "lead", "ada"),
    ]
    with pytest.raises(Conflict, match="part of another"):
        operations.resume(children[0].id, "ada")
    operations.resume(whole.id, "ada")
    assert operations.wait(whole.id).result == [10, 20]
    assert calls == ["lead", "work 1", "work 2", "lead", "work 2"]
    assert len(operations.list(OperationFilter(parent=whole.id)).items) == 2
    assert [v.id for v in operations.list(OperationFilter(parent="none")).items] == [whole.id]


def test_cancelling_reaches_children(start: Callable[..., Operations]) -> None:
    entered = threading.Event()

    def work(context: StepContext, params: Target) -> Any:
        entered.set()
        context.sleep(60)

    def lead(context: StepContext, params: Target) -> Any:
        return context.run_child("part.do", {})

    operations = start(kind("part.do", work), kind("whole.do", lead, queue_key=lambda p: "whole"))
    whole = operations.submit("whole.do", {}, actor="ada")
    assert entered.wait(20)
    operations.cancel(whole.id, "bob")
    assert operations.wait(whole.id).state == "cancelled"
    [child] = operations.list(OperationFilter(parent=whole.id)).items
    assert operations.wait(child.id).state == "cancelled"


def test_a_child_that_would_wait_for_its_parent_is_refused(start: Callable[..., Operations]) -> None:
    def work(context: StepContext, params: Target) -> Any:
        return None

    def lead(context: StepContext, params: Target) -> Any:
        return context.run_child("part.do", {})

    operations = start(kind("part.do", work), kind("whole.do", lead))
    failed = operations.wait(operations.submit("whole.do", {}, actor="ada").id)
    assert failed.error is not None
    assert failed.error.code == "queue_deadlock"


def test_lists_filter_and_page(start: Callable[..., Operations]) -> None:
    def first(context: StepContext, params: Target) -> Any:
        return None

    operations = start(kind("a.do", first), kind("b.do", first))
    numbers = itertools.count()
    ids = [
        operations.submit(k, {"environment": e, "number": next(numbers)}, actor="ada").id
        for k, e in [("a.do", "DEV"), ("b.do", "DEV"), ("a.do", "PROD"), ("a.do", "DEV")]
    ]
    for i in ids:
        operations.wait(i)
    newest_first = ids[::-1]
    pages, cursor = [], None
    while True:
        page = operations.list(limit=3, cursor=cursor)
        pages.append([v.id for v in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == [newest_first[:3], newest_first[3:]]
    chosen = operations.list(OperationFilter(kind="a.do", environment="DEV", state=OperationState.SUCCEEDED))
    assert [v.id for v in chosen.items] == [ids[3], ids[0]]
    with pytest.raises(Invalid, match="not a cursor"):
        operations.list(cursor="nonsense!")
    for call in (operations.get, operations.log, operations.sql, operations.revision):
        with pytest.raises(NotFound):
            call("no-such-id")


def test_a_stopped_service_leaves_work_for_the_next(database: Database, tmp_path: Path) -> None:
    entered = threading.Event()
    release = threading.Event()

    def first(context: StepContext, params: Target) -> Any:
        entered.set()
        context.log("waiting")
        if not release.is_set():
            context.sleep(60)
        return "done"

    url = f"sqlite:///{tmp_path / 'operations.sqlite'}"
    registry = Registry([kind("thing.do", first)])
    before = Operations(registry, database, url=url)
    before.start()
    view = before.submit("thing.do", {}, actor="ada")
    assert entered.wait(20)
    assert before.stop(5)
    assert before.get(view.id).state == "running"
    with pytest.raises(Unavailable):
        before.submit("thing.do", {}, actor="ada")
    release.set()
    after = Operations(registry, database, url=url)
    after.start()
    try:
        done = after.wait(view.id)
    finally:
        after.stop(5)
    assert (done.result, done.steps[0].attempts) == ("done", 2)
    assert messages(after, view.id) == [
        "First",
        "waiting",
        "First: resumed after an interruption (attempt 2)",
        "Operation succeeded",
    ]


def test_what_was_written_but_never_queued_is_taken_up(database: Database, tmp_path: Path) -> None:
    def first(context: StepContext, params: Target) -> Any:
        return params.number

    declared = kind("thing.do", first)
    operations = Operations(Registry([declared]), database, url=f"sqlite:///{tmp_path / 'o.sqlite'}")
    # A process that dies between its two writes leaves this behind.
    operations.submissions.create(operations.runner.new(declared, Target(number=5), "ada", "left-behind"))
    operations.start()
    try:
        assert operations.wait("left-behind").result == 5
    finally:
        operations.stop(5)


def test_a_given_id_is_submitted_once(start: Callable[..., Operations]) -> None:
    calls: list[int] = []

    def first(context: StepContext, params: Target) -> Any:
        calls.append(params.number)
        return params.number

    operations = start(kind("thing.do", first))
    for number in (1, 2):
        operations.submit("thing.do", {"number": number}, actor="ada", operation_id="the-one")
        assert operations.wait("the-one").result == 1
    assert calls == [1]


def test_a_step_that_reports_progress_is_seen_on_its_way(start: Callable[..., Operations]) -> None:
    told, seen = threading.Event(), threading.Event()

    def first(context: StepContext, params: Target) -> Any:
        context.progress(0.5, "half")
        told.set()
        assert seen.wait(20)

    def second(context: StepContext, params: Target) -> Any:
        return None

    operations = start(kind("thing.do", first, second))
    view = operations.submit("thing.do", {}, actor="ada")
    assert told.wait(20)
    half = operations.get(view.id)
    assert [v.id for v in operations.running()] == [view.id]
    seen.set()
    assert (half.state, half.progress, half.steps[0].progress, half.steps[0].message) == (
        "running", 0.25, 0.5, "half",
    )  # fmt: skip
    assert half.revision > view.revision
    assert operations.wait(view.id).progress == 1.0
    assert operations.running() == ()


def quick_kind() -> OperationKind[Target]:
    def work(context: StepContext, params: Target) -> None:
        context.log("done")

    return kind("thing.do", work, queue_key=lambda p: "key")


def test_what_is_queued_rings_for_the_worker(
    start: Callable[..., Operations], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes to look once in ten minutes, yet each begins: when it is queued, or when the one before it ends."""
    monkeypatch.setattr(queue, "_IDLE_SECONDS", 600)
    monkeypatch.setattr(queue, "_BUSY_SECONDS", 600)
    operations = start(quick_kind())
    time.sleep(0.5)
    first = [operations.submit("thing.do", {"spoke": f"s{i}"}, actor="ada").id for i in range(3)]
    assert [operations.wait(one, 30).state for one in first] == ["succeeded"] * 3


def test_what_another_process_queues_is_seen(
    start: Callable[..., Operations], monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = start(quick_kind())
    monkeypatch.setattr(queue.Bell, "ring", lambda _bell: None)
    one = operations.submit("thing.do", {"spoke": "pudo"}, actor="ada")
    assert operations.wait(one.id, 30).state == "succeeded"


def test_an_idle_worker_looks_when_something_was_committed(
    start: Callable[..., Operations], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = SystemDatabase.get_queue
    monkeypatch.setattr(SystemDatabase, "get_queue", lambda *a: (looked.append("get_queue"), real(*a))[1])
    monkeypatch.setattr(queue, "_IDLE_SECONDS", 0.05)
    operations = start(quick_kind())
    one = operations.submit("thing.do", {"spoke": "pudo"}, actor="ada")
    assert operations.wait(one.id, 30).state == "succeeded"
    time.sleep(1.5)
    before = len(looked)
    time.sleep(1)
    assert len(looked) == before
    monkeypatch.setattr(queue.Bell, "ring", lambda _bell: None)
    two = operations.submit("thing.do", {"spoke": "pudo"}, actor="ada")
    assert operations.wait(two.id, 30).state == "succeeded"
    assert len(looked) > before


def test_commits_of_others_are_told(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    commits = queue.Commits(f"sqlite:///{path}")
    assert [commits.any(), commits.any()] == [True, False]
    other.execute("CREATE TABLE t (a)")
    assert [commits.any(), commits.any()] == [True, False]
    commits.close()
    other.close()
    elsewhere = queue.Commits("postgresql+psycopg://ada@nowhere/queue")
    assert [elsewhere.any(), elsewhere.any()] == [True, True]


def test_no_thread_of_the_library_polls_for_what_nothing_uses(start: Callable[..., Operations]) -> None:
    start(quick_kind())
    workers = [t.name for t in threading.enumerate() if t.name.startswith("queue-worker")]
    assert workers == []
    assert not [t for t in threading.enumerate() if t.name == "dbos-background-jobs" and t.is_alive()]


def test_what_is_submitted_before_the_queue_is_up_is_worked_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try to start fails, and what is submitted meanwhile waits for the second."""
    tried, go = threading.Event(), threading.Event()
    real = queue.start

    def begin(url: str, body: queue.Body) -> None:
        if not tried.is_set():
            tried.set()
            raise ConnectionError("no database")
        assert go.wait(30)
        real(url, body)

    monkeypatch.setattr(queue, "start", begin)
    operations = Operations(Registry([quick_kind()]), database, url=f"sqlite:///{tmp_path / 'o.sqlite'}")
    with pytest.raises(Unavailable):
        operations.submit("thing.do", {}, actor="ada")
    operations.start_soon()
    assert tried.wait(30)
    one = operations.submit("thing.do", {}, actor="ada")
    assert (one.state, operations.started) == ("pending", False)
    go.set()
    assert operations.wait(one.id, 30).state == "succeeded"
    assert operations.started
    assert operations.stop(5)


def test_a_service_that_stops_while_it_starts_ends(database: Database, tmp_path: Path) -> None:
    operations = Operations(Registry([quick_kind()]), database, url=f"sqlite:///{tmp_path / 'o.sqlite'}")
    operations.start_soon()
    assert operations.stop(5)
    with pytest.raises(Unavailable):
        operations.submit("thing.do", {}, actor="ada")
