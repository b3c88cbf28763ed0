"""The task routes of Snowflake's REST API.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/task
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from embedded_account.errors import SnowflakeError, does_not_exist, invalid_value, unsupported
from embedded_account.names import ObjectName, like_to_regex, literal, shown
from embedded_account.objects.tagging import Tags
from embedded_account.rest import task_json
from embedded_account.rest.routing import as_object, route
from embedded_account.session import Session
from embedded_account.tasks import service
from embedded_account.usage.task_graphs import complete_graphs_sql, current_graphs_sql

_SCHEMA = "/api/v2/databases/{database}/schemas/{schema}/tasks"
_TASK = _SCHEMA + "/{name}"
_MOST_SHOWN = 10_000


# ----- parameters


def _parent(request: Request) -> tuple[str, str]:
    values = request.path_params
    return task_json.identifier(values["database"]), task_json.identifier(values["schema"])


def _name(request: Request) -> ObjectName:
    return ObjectName(*_parent(request), task_json.identifier(request.path_params["name"]))


def _flag(request: Request, name: str, default: bool = False) -> bool:
    """snowflake.core writes True and False."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if value.lower() not in ("true", "false"):
        raise invalid_value(f"invalid value [{value}] for parameter '{name}'")
    return value.lower() == "true"


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return default
    if not value.isdigit() or not 1 <= int(value) <= _MOST_SHOWN:
        raise invalid_value(f"invalid value [{value}] for parameter '{name}': it is 1 to {_MOST_SHOWN}.")
    return int(value)


def _done(message: str) -> dict[str, str]:
    return {"status": message}


# ----- one task


def _create(session: Session, request: Request, body: Any) -> Any:
    mode = request.query_params.get("createMode", "errorIfExists")
    if mode not in ("errorIfExists", "orReplace", "ifNotExists"):
        raise invalid_value(f"invalid value [{mode}] for parameter 'createMode'")
    task = task_json.read_task(session, _parent(request), as_object(body))
    replace, if_not_exists = mode == "orReplace", mode == "ifNotExists"
    created = service.create(session, task, or_replace=replace, if_not_exists=if_not_exists)
    name = shown(task.name.name)
    return _done(
        f"Task {name} successfully created." if created else f"{name} already exists, statement succeeded."
    )


def _create_or_alter(session: Session, request: Request, body: Any) -> Any:
    task = task_json.read_task(
        session, _parent(request), {**as_object(body), "name": request.path_params["name"]}
    )
    created = service.create_or_alter(session, task)
    return _done(f"Task {shown(task.name.name)} successfully {'created' if created else 'altered'}.")


def _fetch(session: Session, request: Request, body: Any) -> Any:
    task = service.existing(session, _name(request))
    return task_json.task_json(task, service.siblings(session, task.name))


def _drop(session: Session, request: Request, body: Any) -> Any:
    name = _name(request)
    service.drop(session, name, _flag(request, "ifExists"))
    return _done(f"{shown(name.name)} successfully dropped.")


def _resume(session: Session, request: Request, body: Any) -> Any:
    service.resume(session, _name(request))
    return _done("Statement executed successfully.")


def _suspend(session: Session, request: Request, body: Any) -> Any:
    service.suspend(session, _name(request))
    return _done("Statement executed successfully.")


def _execute(session: Session, request: Request, body: Any) -> Any:
    name = _name(request)
    service.existing(session, name)
    engine = service.engine_of(session)
    if _flag(request, "retryLast"):
        engine.retry(name)
    else:
        engine.execute(name)
    return _done(f"Task {shown(name.name)} is scheduled to run immediately.")


# ----- lists


def _list(session: Session, request: Request, body: Any) -> Any:
    database, schema = _parent(request)
    if not session.account.has_schema(database, schema):
        raise does_not_exist("Schema", f"{shown(database)}.{shown(schema)}")
    found = service.siblings(session, ObjectName(database, schema, ""))
    like, starts = request.query_params.get("like"), request.query_params.get("startsWith")
    after = request.query_params.get("fromName")
    roots_only = _flag(request, "rootOnly")
    names = [
        name
        for name, task in sorted(found.items())
        if (like is None or like_to_regex(like).match(name))
        and (starts is None or name.startswith(starts))
        and (after is None or name > after)
        and (task.is_root or not roots_only)
    ]
    return [
        task_json.task_json(found[name], found)
        for name in names[: _number(request, "showLimit", _MOST_SHOWN)]
    ]


def _dependents(session: Session, request: Request, body: Any) -> Any:
    name = _name(request)
    siblings = service.siblings(session, name)
    found = service.dependents(session, name, _flag(request, "recursive", True))
    return [task_json.task_json(task, siblings) for task in found]


def _only(session: Session, name: ObjectName) -> str:
    """A condition that keeps the runs of one root, whatever it was recreated as."""
    service.existing(session, name)
    return (
        f'"ROOT_TASK_NAME" = {literal(name.name)} AND "SCHEMA_NAME" = {literal(name.schema)} '
        f'AND "DATABASE_NAME" = {literal(name.database)}'
    )


def _complete_graphs(session: Session, request: Request, body: Any) -> Any:
    only = _only(session, _name(request))
    sql = complete_graphs_sql(
        _number(request, "resultLimit", 1000), None, _flag(request, "errorOnly", True), only
    )
    return _runs(session, sql)


def _current_graphs(session: Session, request: Request, body: Any) -> Any:
    only = _only(session, _name(request))
    return _runs(session, current_graphs_sql(session, _number(request, "resultLimit", 1000), None, only))


def _runs(session: Session, sql: str) -> list[dict[str, Any]]:
    cursor = session.duck.execute(sql)
    names = [column[0] for column in cursor.description]
    return [task_json.run_json(names, row) for row in cursor.fetchall()]


# ----- tags


def _get_tags(session: Session, request: Request, body: Any) -> Any:
    if _flag(request, "withLineage"):
        raise unsupported("withLineage of a task's tags")
    name = _name(request)
    service.existing(session, name)
    found = session.account.catalog_of(name.database).tags(
        session.duck, domain="TASK", schema_name=name.schema, name=name.name
    )
    return [
        {
            "tag_database": shown(tag["tag_database"]),
            "tag_schema": shown(tag["tag_schema"]),
            "tag_name": shown(tag["tag_name"]),
            "tag_value": tag["value"],
            "level": "TASK",
        }
        for tag in found
    ]


def _change_tags(session: Session, request: Request, body: Any) -> Any:
    """Set tags to their values, or with `:unset-tags` remove them."""
    name = _name(request)
    if not isinstance(body, list):
        raise invalid_value("The request's body is not a JSON array.")
    session.use(name.database, name.schema)
    unset = request.url.path.endswith(":unset-tags")
    tags: Tags = {
        task_json.read_tag(session, tag): None if unset else str(tag.get("tag_value", "")) for tag in body
    }
    try:
        service.existing(session, name)
    except SnowflakeError:
        if not _flag(request, "ifExists"):
            raise
    else:
        service.set_task_tags(session, name, tags)
    return _done("Statement executed successfully.")


routes = [
    route(_SCHEMA, "POST", _create),
    route(_SCHEMA, "GET", _list),
    route(_TASK + ":execute", "POST", _execute),
    route(_TASK + ":resume", "POST", _resume),
    route(_TASK + ":suspend", "POST", _suspend),
    route(_TASK + ":get-tags", "GET", _get_tags),
    route(_TASK + ":set-tags", "POST", _change_tags),
    route(_TASK + ":unset-tags", "POST", _change_tags),
    route(_TASK + "/dependents", "GET", _dependents),
    *(route(_TASK + f"/complete{sign}graphs", "GET", _complete_graphs) for sign in "-_"),
    *(route(_TASK + f"/current{sign}graphs", "GET", _current_graphs) for sign in "-_"),
    route(_TASK, "GET", _fetch),
    route(_TASK, "PUT", _create_or_alter),
    route(_TASK, "DELETE", _drop),
]
