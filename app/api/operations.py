"""REST: operations, their log, their SQL, and what happens to them as it happens."""

import json
import re
from collections.abc import AsyncIterator
from typing import Annotated

from anyio import sleep
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.addresses import Name
from app.dependencies import OperationsDep, UserDep, accepted
from app.limits import MAX_NUMBER, Cursor, Limit, Text
from app.schemas.base import Listing
from app.schemas.operations import ExecutedSqlSchema, LogLineSchema, OperationSchema
from services.operations import OperationFilter, Operations, OperationState

router = APIRouter(prefix="/operations", tags=["operations"])

_NUMBER = re.compile(r"[0-9]{1,18}")
_POLL_SECONDS = 0.3
# The ingress of the account closes a connection that was silent for 90 seconds.
_KEEP_ALIVE_SECONDS = 15.0

After = Annotated[int, Query(ge=0, le=MAX_NUMBER, description="Only what has a greater number.")]


@router.get("")
def list_operations(
    operations: OperationsDep,
    kind: Text = None,
    state: OperationState | None = None,
    spoke: Text = None,
    environment: Text = None,
    parent: Text = None,
    routine: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listing[OperationSchema]:
    """Operations, newest first. ``parent`` is an id, or "none".

    Scheduled readings of the account are left out unless they failed, ``kind`` asks for them, or ``routine`` is true.
    """
    wanted = OperationFilter(kind, state, spoke, environment, parent, routine)
    page = operations.list(wanted, limit, cursor)
    return Listing(items=[OperationSchema.of(view) for view in page.items], next_cursor=page.next_cursor)


@router.get("/{operation_id}")
def get_operation(operations: OperationsDep, operation_id: Name) -> OperationSchema:
    """One operation with its steps."""
    return OperationSchema.of(operations.get(operation_id))


@router.get("/{operation_id}/log")
def get_log(
    operations: OperationsDep, operation_id: Name, after: After = 0, limit: Limit = 1000
) -> Listing[LogLineSchema]:
    """Log lines; ``next_cursor`` is the next ``after``."""
    page = operations.log(operation_id, after, limit)
    items = [LogLineSchema.model_validate(line) for line in page.items]
    return Listing(items=items, next_cursor=page.next_cursor)


@router.get("/{operation_id}/sql")
def get_sql(
    operations: OperationsDep, operation_id: Name, after: After = 0, limit: Limit = 1000
) -> Listing[ExecutedSqlSchema]:
    """The SQL it executed; ``next_cursor`` is the next ``after``."""
    page = operations.sql(operation_id, after, limit)
    items = [ExecutedSqlSchema.model_validate(row) for row in page.items]
    return Listing(items=items, next_cursor=page.next_cursor)


@router.get("/{operation_id}/events", response_class=StreamingResponse)
def get_events(
    request: Request,
    operations: OperationsDep,
    operation_id: Name,
    last: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> StreamingResponse:
    """Server-sent events: ``operation`` on each change, ``log`` for each line, ``end`` when it is over.

    The id of an event is the number of the last log line sent, so that a browser that reconnects misses none.
    An id that no event had is that of another stream: this one begins at its start.
    """
    operations.revision(operation_id)
    after = int(last) if last and _NUMBER.fullmatch(last) else 0
    events = _events(request, operations, operation_id, after)
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.post("/{operation_id}/cancel", status_code=202)
def cancel(operations: OperationsDep, user: UserDep, operation_id: Name) -> JSONResponse:
    """Cancel: what waits at once, what runs at its next safe point. 409 when it is over."""
    return accepted(operations.cancel(operation_id, user.name))


@router.post("/{operation_id}/resume", status_code=202)
def resume(operations: OperationsDep, user: UserDep, operation_id: Name) -> JSONResponse:
    """Go on from the step that failed or was cancelled. 409 in every other state."""
    return accepted(operations.resume(operation_id, user.name))


async def _events(
    request: Request, operations: Operations, operation_id: str, after: int
) -> AsyncIterator[str]:
    revision, silent = -1, 0.0
    while not await request.is_disconnected():
        now = await run_in_threadpool(operations.revision, operation_id)
        if now != revision:
            revision, silent = now, 0.0
            view = await run_in_threadpool(operations.get, operation_id)
            lines = await run_in_threadpool(operations.log, operation_id, after, 1000)
            for line in lines.items:
                after = line.seq
                yield _event("log", LogLineSchema.model_validate(line).model_dump_json(), after)
            if lines.next_cursor is not None:
                revision = -1
                continue
            yield _event("operation", OperationSchema.of(view).model_dump_json(), after)
            if view.state.final:
                yield _event("end", json.dumps({"state": view.state}), after)
                return
        elif silent >= _KEEP_ALIVE_SECONDS:
            silent = 0.0
            yield ": still here\n\n"
        await sleep(_POLL_SECONDS)
        silent += _POLL_SECONDS


def _event(name: str, data: str, number: int) -> str:
    return f"event: {name}\nid: {number}\ndata: {data}\n\n"
