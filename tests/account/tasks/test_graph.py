"""The rules of graphs and the decisions of a run, against simple models."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_account.errors import SnowflakeError
from embedded_account.names import ObjectName
from embedded_account.tasks import graph
from embedded_account.tasks.definition import TaskDefinition, from_record, to_record
from embedded_account.tasks.progress import final_state, next_step
from embedded_account.tasks.runs import EXECUTING, FAILED, SKIPPED, SUCCEEDED

NAMES = ["A", "B", "C", "D", "E", "F"]
EDGES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=12)


def task(name: str, *predecessors: str, started: bool = True, **more: object) -> TaskDefinition:
    given = TaskDefinition(
        ObjectName("DB", "S", name), "select 1", predecessors=predecessors, started=started
    )
    return given.having(**more)


def in_schema(*tasks: TaskDefinition) -> dict[str, TaskDefinition]:
    return {t.name.name: t for t in tasks}


def reachable(start: str, parents: dict[str, set[str]]) -> set[str]:
    """Everything above `start`, itself included if it is above itself."""
    found: set[str] = set()
    todo = list(parents[start])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += parents[name]
    return found


def valid(parents: dict[str, set[str]]) -> bool:
    """The model: no task is above itself, and above each task there is at most one root."""
    for name in NAMES:
        above = reachable(name, parents)
        if name in above or sum(not parents[a] for a in above) > 1:
            return False
    return True


@given(EDGES)
def test_links_are_accepted_exactly_when_the_model_allows_them(edges: list[tuple[str, str]]) -> None:
    tasks = in_schema(*(task(name) for name in NAMES))
    parents: dict[str, set[str]] = {name: set() for name in NAMES}
    for child, parent in edges:
        wanted = {**parents, child: parents[child] | {parent}}
        changed = replace(tasks[child], predecessors=tuple(sorted(wanted[child])))
        others = {name: t for name, t in tasks.items() if name != child}
        try:
            found = graph.check(changed, others)
        except SnowflakeError:
            assert not valid(wanted)
            continue
        assert valid(wanted)
        tasks[child], parents = changed, wanted
        order = list(found.tasks)
        for name in order:
            assert all(order.index(p) < order.index(name) for p in tasks[name].predecessors)
            assert found.ancestors(name) == reachable(name, parents)
        assert graph.loads(found.dumps()).dumps() == found.dumps()


def model_outcome(found: graph.Graph, fate: dict[str, str]) -> dict[str, str]:
    """What each task ends as, by recursion over its predecessors. Suspended tasks leave no state."""
    memory: dict[str, str] = {}

    def end(name: str) -> str:
        if name not in memory:
            above = [end(p) for p in found.tasks[name].predecessors]
            if any(a in (FAILED, "NOT RUN") for a in above):
                memory[name] = "NOT RUN"
            elif above and all(a == SKIPPED for a in above):
                memory[name] = SKIPPED
            elif found.tasks[name].started or found.tasks[name].is_root:
                memory[name] = fate[name]
            else:
                memory[name] = "PASSED"
        return memory[name]

    for name in found.tasks:
        end(name)
    silent = {name for name, t in found.tasks.items() if not t.started and not t.is_root}
    return {name: state for name, state in memory.items() if state != "NOT RUN" and name not in silent}


@given(
    st.lists(st.sets(st.integers(0, 5)), min_size=6, max_size=6),
    st.lists(st.sampled_from([SUCCEEDED, SUCCEEDED, FAILED, SKIPPED]), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_a_run_ends_as_the_model_says(links: list[set[int]], fates: list[str], started: list[bool]) -> None:
    tasks = []
    for i, name in enumerate(NAMES):
        parents = [NAMES[j] for j in sorted(links[i]) if j < i] or ([NAMES[0]] if i else [])
        tasks.append(task(name, *parents, started=started[i]))
    found = graph.build("A", in_schema(*tasks))
    fate = dict(zip(NAMES, fates, strict=True))
    fate["A"] = SUCCEEDED
    states: dict[str, str] = {}
    while True:
        step = next_step(found, states)
        states.update(dict.fromkeys(step.skip, SKIPPED))
        assert not set(step.ready) & states.keys()
        if not step.ready:
            break
        for name in step.ready:
            assert next_step(found, {**states, **dict.fromkeys(step.ready, EXECUTING)}).busy
            states[name] = fate[name]
    assert not step.busy
    assert states == model_outcome(found, fate)
    assert final_state(found, states) == (FAILED if FAILED in states.values() else SUCCEEDED)


def test_a_skipped_root_skips_the_run() -> None:
    found = graph.build("A", in_schema(task("A"), task("B", "A")))
    step = next_step(found, {"A": SKIPPED})
    assert (step.ready, step.skip, step.busy) == ([], [], False)
    assert final_state(found, {"A": SKIPPED}) == SKIPPED


@pytest.mark.parametrize(
    ("changed", "others", "message"),
    [
        (task("B", "A", schedule="5 MINUTES"), [task("A")], "SCHEDULE can only be set on a root task"),
        (task("B", "A", config="{}"), [task("A")], "CONFIG can only be set on a root task"),
        (task("B", "NOPE"), [task("A")], "does not exist"),
        (task("F", finalize="NOPE"), [task("A")], "does not exist"),
        (task("F", "A", finalize="A"), [task("A")], "cannot have predecessors"),
        (task("F", finalize="B"), [task("A"), task("B", "A")], "not a root task"),
        (task("G", finalize="A"), [task("A"), task("F", finalize="A")], "already has the finalizer"),
        (task("B", "F"), [task("A"), task("F", finalize="A")], "cannot be a predecessor"),
        (task("A", "B"), [task("B"), task("F", finalize="A")], "must stay a root task"),
        (
            task("X", *(f"T{i}" for i in range(101))),
            [task("A"), *(task(f"T{i}", "A") for i in range(101))],
            "100",
        ),
        (task("X", "A"), [task("A"), *(task(f"T{i}", "A") for i in range(100))], "100 child tasks"),
    ],
)
def test_broken_rules_are_named(changed: TaskDefinition, others: list[TaskDefinition], message: str) -> None:
    with pytest.raises(SnowflakeError, match=message):
        graph.check(changed, in_schema(*others))


def test_a_graph_has_at_most_a_thousand_tasks() -> None:
    chain = [task("T0"), *(task(f"T{i}", f"T{i - 1}") for i in range(1, 1000))]
    assert len(graph.build("T0", in_schema(*chain)).everything) == 1000
    with pytest.raises(SnowflakeError, match="1000"):
        graph.check(task("MORE", "T999"), in_schema(*chain))


def test_definitions_survive_their_record() -> None:
    before = task(
        "A",
        schedule="1 HOUR",
        config='{"a": 1}',
        session_parameters={"QUERY_TAG": "x"},
        owner="R",
        comment="c",
    )
    assert from_record("DB", to_record(before)) == before
