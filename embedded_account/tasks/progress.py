"""What comes next in a graph's run: pure decisions from the graph and the states of its tasks.

A task runs when all its predecessors have ended well and at least one of them ran: succeeded, or is suspended, which
counts as success. When all were skipped it is skipped too. Below a failure nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from embedded_account.tasks.graph import Graph
from embedded_account.tasks.runs import CANCELLED, EXECUTING, FAILED, FAILED_AND_SUSPENDED, SKIPPED, SUCCEEDED

ERRORS = (FAILED, FAILED_AND_SUSPENDED, CANCELLED)
_PASSED = "PASSED"
_BLOCKED = "BLOCKED"
_WAITING = "WAITING"
_READY = "READY"
_SKIP = "SKIP"


@dataclass
class Step:
    """Tasks to start now, tasks to record as skipped now, and whether anything still runs or waits."""

    ready: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    busy: bool = False


def next_step(graph: Graph, states: Mapping[str, str]) -> Step:
    """`states` holds the tasks that were started or skipped; the finalizer is not part of this."""
    step = Step()
    known: dict[str, str] = {}
    if states.get(graph.root.name.name) == SKIPPED:
        return step
    for name, task in graph.tasks.items():
        own = states.get(name)
        if own is not None:
            known[name] = _outcome(own)
            step.busy |= own == EXECUTING
            continue
        decided = _decide([known[parent] for parent in task.predecessors])
        if decided == _READY and not task.is_root and not task.started:
            known[name] = _PASSED
        elif decided == _READY:
            known[name] = _WAITING
            step.ready.append(name)
            step.busy = True
        elif decided == _SKIP:
            known[name] = _SKIP
            if task.started:
                step.skip.append(name)
        else:
            known[name] = decided
            step.busy |= decided == _WAITING
    return step


def _outcome(state: str) -> str:
    if state == SUCCEEDED:
        return _PASSED
    if state == SKIPPED:
        return _SKIP
    return _WAITING if state == EXECUTING else _BLOCKED


def _decide(parents: list[str]) -> str:
    if _BLOCKED in parents:
        return _BLOCKED
    if _WAITING in parents:
        return _WAITING
    if parents and all(parent == _SKIP for parent in parents):
        return _SKIP
    return _READY


def final_state(graph: Graph, states: Mapping[str, str]) -> str:
    """The state of the whole run once nothing runs any more."""
    if states.get(graph.root.name.name) == SKIPPED:
        return SKIPPED
    if any(state in (FAILED, FAILED_AND_SUSPENDED) for state in states.values()):
        return FAILED
    return CANCELLED if CANCELLED in states.values() else SUCCEEDED
