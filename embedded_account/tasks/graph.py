"""The graph that tasks of one schema form, and the rules it obeys.

https://docs.snowflake.com/en/user-guide/tasks-graphs: one root, at most 1000 tasks, at most 100 parents and 100
children for each, no cycle, at most one finalizer, which has neither parents nor children.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_account.errors import SnowflakeError, does_not_exist
from embedded_account.tasks.definition import TaskDefinition, from_json

MOST_TASKS = 1000
MOST_LINKS = 100
Tasks = Mapping[str, TaskDefinition]


def refused(message: str) -> SnowflakeError:
    return SnowflakeError(message, 91421, "0A000")


@dataclass(frozen=True)
class Graph:
    """A root with all that runs because of it; `tasks` is in an order in which each comes after its predecessors."""

    root: TaskDefinition
    tasks: dict[str, TaskDefinition]
    finalizer: TaskDefinition | None = None

    @property
    def everything(self) -> list[TaskDefinition]:
        """The root first, the finalizer last."""
        return [*self.tasks.values(), *([self.finalizer] if self.finalizer else [])]

    def task(self, name: str) -> TaskDefinition:
        if self.finalizer is not None and self.finalizer.name.name == name:
            return self.finalizer
        return self.tasks[name]

    def ancestors(self, name: str) -> set[str]:
        if self.finalizer is not None and self.finalizer.name.name == name:
            return set(self.tasks)
        found: set[str] = set()
        todo = list(self.tasks[name].predecessors)
        while todo:
            parent = todo.pop()
            if parent not in found:
                found.add(parent)
                todo += self.tasks[parent].predecessors
        return found

    def content(self) -> list[dict[str, Any]]:
        """What a version keeps: the same for the same graph."""
        return [task.content() for task in sorted(self.everything, key=lambda t: t.name)]

    def dumps(self) -> str:
        return json.dumps(self.content(), sort_keys=True)


def loads(text: str) -> Graph:
    """The graph that `Graph.dumps` wrote."""
    tasks = {task.name.name: task for task in map(from_json, json.loads(text))}
    root = next(task for task in tasks.values() if task.is_root)
    return build(root.name.name, tasks)


def children_of(name: str, tasks: Tasks) -> list[str]:
    return sorted(task.name.name for task in tasks.values() if name in task.predecessors)


def finalizer_of(root: str, tasks: Tasks) -> TaskDefinition | None:
    return next((task for task in tasks.values() if task.finalize == root), None)


def roots_of(name: str, tasks: Tasks) -> set[str]:
    """The roots above a task; a finalizer belongs to the root it finalizes."""
    task = tasks[name]
    if task.finalize is not None:
        return {task.finalize}
    found: set[str] = set()
    seen: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        parents = tasks[current].predecessors
        todo += parents
        if not parents:
            found.add(current)
    return found


def build(root: str, tasks: Tasks) -> Graph:
    """The graph under a root, by Kahn's algorithm.

    Raises:
        SnowflakeError: for a cycle or too many tasks.
    """
    members = _below(root, tasks)
    waiting = {name: sum(p in members for p in tasks[name].predecessors) for name in members}
    ready = [root]
    ordered: dict[str, TaskDefinition] = {}
    children: dict[str, list[str]] = {name: [] for name in members}
    for name in sorted(members):
        for parent in tasks[name].predecessors:
            if parent in members:
                children[parent].append(name)
    while ready:
        name = ready.pop(0)
        ordered[name] = tasks[name]
        for child in children[name]:
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    if len(ordered) != len(members):
        raise refused(
            f"Unable to update graph with root task {tasks[root].name}: its tasks would form a cycle."
        )
    finalizer = finalizer_of(root, tasks)
    if len(ordered) + (finalizer is not None) > MOST_TASKS:
        raise refused(f"Graph with root task {tasks[root].name} would have more than {MOST_TASKS} tasks.")
    return Graph(tasks[root], ordered, finalizer)


def _below(root: str, tasks: Tasks) -> set[str]:
    children: dict[str, list[str]] = {}
    for task in tasks.values():
        for parent in task.predecessors:
            children.setdefault(parent, []).append(task.name.name)
    members: set[str] = set()
    todo = [root]
    while todo:
        name = todo.pop()
        if name not in members:
            members.add(name)
            todo += children.get(name, [])
    return members


def check(task: TaskDefinition, others: Tasks) -> Graph:
    """Whether a schema's tasks stay in order when `task` is put among them; the graph that it then belongs to.

    Raises:
        SnowflakeError: naming the rule that it breaks.
    """
    tasks = {**others, task.name.name: task}
    _check_clauses(task)
    if task.finalize is not None:
        return _check_finalizer(task, tasks)
    if task.predecessors and (finalizer := finalizer_of(task.name.name, tasks)):
        raise refused(f"Task {task.name} has the finalizer task {finalizer.name} and must stay a root task.")
    for parent in task.predecessors:
        _check_link(task, parent, tasks)
    if len(task.predecessors) > MOST_LINKS:
        raise refused(f"Task {task.name} cannot have more than {MOST_LINKS} predecessors.")
    roots = roots_of(task.name.name, tasks)
    _check_one_root(task, roots)
    graph = build(roots.pop(), tasks)
    for member in graph.tasks.values():
        if not set(member.predecessors) <= graph.tasks.keys():
            _check_one_root(member, roots_of(member.name.name, tasks))
    return graph


def _check_one_root(task: TaskDefinition, roots: set[str]) -> None:
    if not roots:
        raise refused(f"Unable to link task {task.name}: its predecessors would form a cycle.")
    if len(roots) > 1:
        listed = ", ".join(str(task.name.parent.object(root)) for root in sorted(roots))
        raise refused(f"Graph cannot have more than one root task. Task {task.name} would have: {listed}.")


def _check_clauses(task: TaskDefinition) -> None:
    if task.is_root:
        return
    kind = "finalizer task" if task.finalize is not None else "task with predecessors"
    for clause, value in (
        ("SCHEDULE", task.schedule),
        ("CONFIG", task.config),
        ("OVERLAP_POLICY", task.overlap_policy),
        ("TASK_AUTO_RETRY_ATTEMPTS", task.auto_retry),
        ("SUSPEND_TASK_AFTER_NUM_FAILURES", task.suspend_after),
    ):
        if value is not None:
            raise refused(f"Task {task.name}: {clause} can only be set on a root task, not on a {kind}.")
    if task.finalize is not None and task.predecessors:
        raise refused(f"Finalizer task {task.name} cannot have predecessors.")


def _check_link(task: TaskDefinition, parent: str, tasks: Tasks) -> None:
    if parent not in tasks:
        raise does_not_exist("Task", str(task.name.parent.object(parent)))
    if parent == task.name.name:
        raise refused(f"Task {task.name} cannot be its own predecessor.")
    if tasks[parent].finalize is not None:
        raise refused(f"Finalizer task {tasks[parent].name} cannot be a predecessor of task {task.name}.")
    if len(children_of(parent, tasks)) > MOST_LINKS:
        raise refused(f"Task {tasks[parent].name} cannot have more than {MOST_LINKS} child tasks.")


def _check_finalizer(task: TaskDefinition, tasks: Tasks) -> Graph:
    root = task.finalize or ""
    if root not in tasks or root == task.name.name:
        raise does_not_exist("Task", str(task.name.parent.object(root)))
    if not tasks[root].is_root:
        raise refused(f"Task {tasks[root].name} cannot be finalized: it is not a root task.")
    if children_of(task.name.name, tasks):
        raise refused(f"Finalizer task {task.name} cannot have child tasks.")
    for other in tasks.values():
        if other.finalize == root and other.name != task.name:
            raise refused(f"Root task {tasks[root].name} already has the finalizer task {other.name}.")
        if other.finalize == task.name.name:
            raise refused(f"Finalizer task {task.name} cannot have a finalizer task itself.")
    return build(root, tasks)
