"""What can be done to tasks; SQL and REST are two fronts of it.

A graph changes only while its root is suspended: https://docs.snowflake.com/en/user-guide/tasks-graphs
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from embedded_account.errors import already_exists, does_not_exist, unsupported
from embedded_account.names import ObjectName
from embedded_account.objects.tagging import Tags, set_tags
from embedded_account.session import Session
from embedded_account.tasks import graph as graphs
from embedded_account.tasks import store
from embedded_account.tasks.definition import KIND, TaskDefinition, now
from embedded_account.tasks.engine import TaskEngine
from embedded_account.tasks.graph import Graph, refused

Change = Callable[[TaskDefinition], TaskDefinition]


def engine_of(session: Session) -> TaskEngine:
    engine = session.account.tasks
    if engine is None:
        raise unsupported("tasks without a task engine")
    return engine


def existing(session: Session, name: ObjectName) -> TaskDefinition:
    if not session.account.has_database(name.database):
        raise does_not_exist("Database", name.database)
    return store.get(session.account, session.duck, name)


def _tasks(session: Session, name: ObjectName) -> dict[str, TaskDefinition]:
    return store.in_schema(session.account, session.duck, name.parent)


def siblings(session: Session, name: ObjectName) -> dict[str, TaskDefinition]:
    """All tasks of a task's schema."""
    return _tasks(session, name)


def _require_suspended(tasks: Mapping[str, TaskDefinition], names: set[str]) -> None:
    for name in sorted(names):
        if tasks[name].started:
            raise refused(
                f"Unable to update graph with root task {tasks[name].name} since that root task is not suspended."
            )


def create(
    session: Session,
    task: TaskDefinition,
    *,
    or_replace: bool = False,
    if_not_exists: bool = False,
    tags: Tags | None = None,
) -> bool:
    """Store a new task, suspended. False if it exists and that is fine.

    Raises:
        SnowflakeError: 002002 if it exists, else whatever rule of graphs it breaks.
    """
    name = task.name
    if not session.account.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", str(name.parent))
    with session.changing(name.database) as connection:
        tasks = _tasks(session, name)
        old = tasks.pop(name.name, None)
        if old is not None and if_not_exists:
            return False
        if old is not None and not or_replace:
            raise already_exists(str(name))
        graph = graphs.check(task, tasks)
        everything = {**tasks, name.name: old or task}
        affected = {graph.root.name.name} - {name.name}
        if old is not None and (not old.is_root or len(graph.everything) > 1):
            affected |= graphs.roots_of(name.name, everything)
        _require_suspended(everything, affected)
        if old is not None:
            store.delete(session.account, connection, name)
        store.put(session.account, connection, [task])
        set_tags(session, name.database, KIND, (name.schema, name.name), tags or {})
    engine_of(session).scheduler.changed(name)
    return True


def alter(session: Session, name: ObjectName, change: Change) -> None:
    """Change a task's definition."""
    with session.changing(name.database) as connection:
        task = existing(session, name)
        tasks = _tasks(session, name)
        _require_suspended(tasks, graphs.roots_of(name.name, tasks))
        changed = change(task)
        was_root = task.is_root
        if changed.is_root and not was_root:
            changed = changed.suspended("CHILD_BECAME_ROOT" if task.predecessors else "FINALIZER_BECAME_ROOT")
        others = {key: value for key, value in tasks.items() if key != name.name}
        graph = graphs.check(changed, others)
        if not changed.is_root:
            _require_suspended(tasks, {graph.root.name.name})
        store.put(session.account, connection, [changed])
    engine_of(session).scheduler.changed(name)


def create_or_alter(session: Session, task: TaskDefinition) -> bool:
    """CREATE OR ALTER: the same task with exactly these clauses. Whether it was created."""
    if store.find(session.account, session.duck, task.name) is None:
        return create(session, task)
    alter(session, task.name, lambda old: with_identity(task, old))
    return False


def with_identity(task: TaskDefinition, old: TaskDefinition) -> TaskDefinition:
    """`task` with the identity, state and history of `old`."""
    return replace(
        task,
        id=old.id,
        owner=old.owner,
        created_on=old.created_on,
        started=old.started,
        version=old.version,
        last_committed_on=old.last_committed_on,
        last_suspended_on=old.last_suspended_on,
        last_suspended_reason=old.last_suspended_reason,
        failures=old.failures,
    )


def set_task_tags(session: Session, name: ObjectName, tags: Tags) -> None:
    with session.changing(name.database):
        existing(session, name)
        set_tags(session, name.database, KIND, (name.schema, name.name), tags)


def resume(session: Session, name: ObjectName) -> None:
    """Let a task run. Resuming a root cuts a version of its graph and starts its schedule."""
    task = existing(session, name)
    if task.started:
        return
    if task.is_root:
        _resume_root(session, name, {name.name})
        return
    with session.changing(name.database) as connection:
        tasks = _tasks(session, name)
        _require_suspended(tasks, graphs.roots_of(name.name, tasks))
        store.put(session.account, connection, [existing(session, name).resumed()])


def _resume_root(session: Session, name: ObjectName, members: set[str]) -> None:
    """Resume these tasks of the graph and cut a version: one transaction, the version's content written before it."""
    engine = engine_of(session)
    with session.changing(name.database) as connection:
        tasks = _tasks(session, name)
        resumed = {**tasks, **{key: tasks[key].resumed() for key in members}}
        graph = graphs.build(name.name, resumed)
        version = engine.runs.version_of(graph.root.id, graph.dumps())
        moment = now()
        changed = []
        for task in graph.everything:
            if task.name.name == name.name:
                changed.append(replace(task, version=version, last_committed_on=moment))
            elif version != graph.root.version:
                changed.append(replace(task, last_committed_on=moment))
            elif task.name.name in members:
                changed.append(task)
        store.put(session.account, connection, changed)
    engine.scheduler.changed(name)


def resume_graph(session: Session, name: ObjectName) -> None:
    """SYSTEM$TASK_DEPENDENTS_ENABLE: resume all tasks of a graph."""
    task = existing(session, name)
    if not task.is_root:
        raise refused(f"Task {name} is not a root task.")
    graph = graphs.build(name.name, _tasks(session, name))
    waiting = {t.name.name for t in graph.everything if not t.started}
    if waiting - {name.name}:
        _require_suspended(graph.tasks, {name.name})
    if waiting:
        _resume_root(session, name, waiting)


def suspend(session: Session, name: ObjectName) -> None:
    """Keep a task from running; runs that have begun go on."""
    with session.changing(name.database) as connection:
        task = existing(session, name)
        if task.started:
            tasks = _tasks(session, name)
            _require_suspended(tasks, graphs.roots_of(name.name, tasks) - {name.name})
            store.put(session.account, connection, [task.suspended("USER_SUSPENDED")])
    engine_of(session).scheduler.changed(name)


def drop(session: Session, name: ObjectName, if_exists: bool = False) -> bool:
    """Drop a task; tasks that lose their last predecessor by it become roots, suspended."""
    if not session.account.has_database(name.database) or name.database == "SNOWFLAKE":
        raise does_not_exist("Database", name.database)
    with session.changing(name.database) as connection:
        task = store.find(session.account, connection, name)
        if task is None:
            if if_exists:
                return False
            raise does_not_exist("Task", str(name))
        tasks = _tasks(session, name)
        _require_suspended(tasks, graphs.roots_of(name.name, tasks) - {name.name})
        store.put(
            session.account,
            connection,
            [_severed(t, name.name) for t in tasks.values() if _linked(t, name.name)],
        )
        store.delete(session.account, connection, name)
    engine_of(session).scheduler.changed(name)
    return True


def _linked(task: TaskDefinition, name: str) -> bool:
    return name in task.predecessors or task.finalize == name


def _severed(task: TaskDefinition, name: str) -> TaskDefinition:
    if task.finalize == name:
        return replace(task, finalize=None).suspended("FINALIZER_BECAME_ROOT")
    left = tuple(parent for parent in task.predecessors if parent != name)
    severed = replace(task, predecessors=left)
    return severed if left else severed.suspended("CHILD_BECAME_ROOT")


def dependents(session: Session, name: ObjectName, recursive: bool = True) -> list[TaskDefinition]:
    """The task and what runs after it, each behind its predecessors, a root's finalizer last."""
    task = existing(session, name)
    tasks = _tasks(session, name)
    if task.finalize is not None:
        return [task]
    graph: Graph = graphs.build(name.name, tasks)
    if recursive:
        return graph.everything
    return [t for t in graph.everything if t.name == name or _linked(t, name.name)]
