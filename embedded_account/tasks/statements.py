"""CREATE, ALTER, DROP and EXECUTE TASK.

https://docs.snowflake.com/en/sql-reference/commands-task
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from embedded_account.errors import unsupported
from embedded_account.names import ObjectName, shown
from embedded_account.objects.tagging import Tags, read_tags, read_unset_tags
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement
from embedded_account.tasks import clauses, service, store
from embedded_account.tasks.definition import TaskDefinition
from embedded_account.tasks.service import Change, engine_of, existing

_EXECUTED = "Statement executed successfully."


@statement("CREATE", "TASK")
def create_task(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_not_exists = current.accept_if_not_exists()
    name = session.resolve(cursor.name())
    done = status(f"Task {shown(name.name)} successfully created.")
    if cursor.accept("CLONE"):
        return _clone(session, current, name, done)
    task, tags = _read(session, cursor, TaskDefinition(name, "", owner=session.role))
    if current.describe_only:
        return done
    if current.or_alter:
        if not service.create_or_alter(session, task):
            return status(f"Task {shown(name.name)} successfully altered.")
        return done
    if not service.create(
        session, task, or_replace=current.or_replace, if_not_exists=if_not_exists, tags=tags
    ):
        return status(f"{shown(name.name)} already exists, statement succeeded.")
    return done


def _exists(session: Session, name: ObjectName) -> bool:
    return store.find(session.account, session.duck, name) is not None


def _clone(session: Session, current: Statement, name: ObjectName, done: Result) -> Result:
    source = existing(session, session.resolve(current.cursor.name()))
    current.cursor.accept("COPY", "GRANTS")
    current.cursor.end()
    if current.describe_only:
        return done
    copied = service.with_identity(source, TaskDefinition(name, "", owner=session.role))
    if source.name.parent != name.parent:
        copied = replace(copied, predecessors=(), finalize=None)
    service.create(session, replace(copied, name=name), or_replace=current.or_replace)
    return done


def _read(session: Session, cursor: Cursor, task: TaskDefinition) -> tuple[TaskDefinition, Tags]:
    """All clauses of CREATE TASK, in any order, up to the body."""
    tags: dict[ObjectName, str | None] = {}
    while not cursor.accept("AS"):
        if cursor.looking_at("TAG") or cursor.looking_at("WITH", "TAG"):
            tags.update(read_tags(session, cursor))
        elif cursor.accept("AFTER"):
            names = clauses.read_names(cursor)
            task = replace(task, predecessors=_siblings(session, task, names))
        elif cursor.accept("WHEN"):
            task = replace(task, condition=clauses.read_condition(cursor))
        elif cursor.accept("COPY", "GRANTS"):
            continue
        elif cursor.looking_at("EXECUTE", "AS"):
            raise unsupported("EXECUTE AS USER of a task")
        elif cursor.looking_at("WITH", "CONTACT"):
            raise unsupported("CONTACT of a task")
        elif cursor.peek(1).text == "=":
            task = clauses.apply(session, task, clauses.read_options(cursor))
        else:
            raise cursor.error()
    return replace(task, body=_body(cursor)), tags


def _body(cursor: Cursor) -> str:
    if cursor.done:
        raise cursor.error()
    return cursor.rest()


def _siblings(session: Session, task: TaskDefinition, names: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clauses.sibling(session, task.name, parts) for parts in names))


# ----- ALTER


@statement("ALTER", "TASK")
def alter_task(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    if_exists = current.accept_if_exists()
    name = session.resolve(cursor.name())
    if current.describe_only:
        return status(_EXECUTED)
    if if_exists and session.account.has_database(name.database) and not _exists(session, name):
        return status("ALTER TASK successfully executed.")
    task = existing(session, name)
    if cursor.accept("RESUME"):
        cursor.end()
        service.resume(session, name)
    elif cursor.accept("SUSPEND"):
        cursor.end()
        service.suspend(session, name)
    elif cursor.looking_at("SET", "TAG") and cursor.accept("SET"):
        tags: Tags = read_tags(session, cursor, required=True)
        cursor.end()
        service.set_task_tags(session, name, tags)
    elif cursor.accept("UNSET", "TAG"):
        tags = read_unset_tags(session, cursor)
        cursor.end()
        service.set_task_tags(session, name, tags)
    else:
        service.alter(session, name, _read_change(session, cursor, task))
    return status(_EXECUTED)


def _read_change(session: Session, cursor: Cursor, task: TaskDefinition) -> Change:
    """What ALTER TASK … does to the definition. The definition itself is read again inside the transaction."""
    if cursor.accept("SET"):
        options = clauses.read_options(cursor)
        cursor.end()
        if not options:
            raise cursor.error()
        return lambda old: clauses.apply(session, old, options)
    if cursor.accept("UNSET"):
        keys = [cursor.identifier()]
        while cursor.accept(",") or not cursor.done:
            keys.append(cursor.identifier())
        return lambda old: _unset_all(old, keys)
    if cursor.accept("MODIFY", "AS"):
        body = _body(cursor)
        return lambda old: replace(old, body=body)
    if cursor.accept("MODIFY", "WHEN"):
        condition = clauses.read_condition(cursor)
        cursor.end()
        return lambda old: replace(old, condition=condition)
    if cursor.accept("REMOVE", "WHEN"):
        cursor.end()
        return lambda old: replace(old, condition=None)
    if added := cursor.accept_any("ADD", "REMOVE"):
        cursor.expect("AFTER")
        names = _siblings(session, task, clauses.read_names(cursor))
        cursor.end()
        return _added(names) if added == "ADD" else _removed(names)
    raise unsupported(f"ALTER TASK … {cursor.peek().text}")


def _unset_all(task: TaskDefinition, keys: list[str]) -> TaskDefinition:
    for key in keys:
        task = clauses.unset(task, key)
    return task


def _added(names: tuple[str, ...]) -> Callable[[TaskDefinition], TaskDefinition]:
    return lambda old: replace(old, predecessors=tuple(dict.fromkeys([*old.predecessors, *names])))


def _removed(names: tuple[str, ...]) -> Callable[[TaskDefinition], TaskDefinition]:
    return lambda old: replace(old, predecessors=tuple(p for p in old.predecessors if p not in names))


# ----- DROP and EXECUTE


@statement("DROP", "TASK")
def drop_task(session: Session, current: Statement) -> Result:
    if_exists = current.accept_if_exists()
    name = session.resolve(current.cursor.name())
    current.cursor.end()
    if not current.describe_only and not service.drop(session, name, if_exists):
        return status(f"Drop statement executed successfully ({shown(name.name)} already dropped).")
    return status(f"{shown(name.name)} successfully dropped.")


@statement("EXECUTE", "TASK")
def execute_task(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    name = session.resolve(cursor.name())
    done = status(f"Task {shown(name.name)} is scheduled to run immediately.")
    engine = engine_of(session)
    if cursor.accept("RETRY", "LAST"):
        cursor.end()
        if not current.describe_only:
            engine.retry(name)
        return done
    if cursor.accept("RETRY", "GRAPH", "RUN", "GROUP"):
        group = cursor.string()
        cursor.end()
        if not current.describe_only:
            engine.retry(name, group)
        return done
    config = None
    if cursor.accept("USING", "CONFIG"):
        cursor.accept("=")
        config = cursor.string()
    if cursor.accept("AWAIT"):
        raise unsupported("EXECUTE TASK … AWAIT")
    cursor.end()
    existing(session, name)
    if not current.describe_only:
        engine.execute(name, config)
    return done
