"""Operations: what is the service doing, what did it do, and why did it fail?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import Name, path
from app.dependencies import OperationsDep, SpokesDep
from app.limits import Text
from app.pages.frame import ActorDep
from app.pages.render import render, see
from services.core.errors import Invalid
from services.operations import Operations
from services.operations.types import (
    ExecutedSql,
    LogLine,
    OperationFilter,
    OperationState,
    OperationView,
    Page,
)

router = APIRouter()
Numbered = TypeVar("Numbered", LogLine, ExecutedSql)
SHOWN_LINES = 400
SHOWN_STATEMENTS = 200


@router.get("/operations", name="operations")
def list_operations(
    request: Request, operations: OperationsDep, state: Text = None, kind: Text = None, cursor: Text = None
) -> HTMLResponse:
    """Operations that nobody else started, newest first."""
    try:
        wanted = OperationState(state) if state else None
    except ValueError:
        names = ", ".join(OperationState)
        raise Invalid(f"There is no operation state {state}.", hint=f"Use one of {names}.") from None
    where = OperationFilter(kind=kind or None, state=wanted, parent="none", routine=False)
    page = operations.list(where, limit=50, cursor=cursor)
    context = {
        "page": page,
        "state": state or "",
        "states": tuple(OperationState),
        "kind": kind or "",
        "live": any(not item.state.final for item in page.items),
        "url": path("/operations", state=state, kind=kind, cursor=cursor),
        "next_url": path("/operations", state=state, kind=kind, cursor=page.next_cursor),
    }
    return render(request, "pages/operations.html", context)


@router.get("/operations/running", name="running_operations")
def running(request: Request, operations: OperationsDep) -> HTMLResponse:
    """The mark in the top bar of what runs now."""
    return render(request, "pages/running.html", {"running": operations.running()})


@router.get("/operations/{operation_id}", name="operation")
def operation(
    request: Request, operations: OperationsDep, spokes: SpokesDep, operation_id: Name
) -> HTMLResponse:
    """One operation: steps, progress, log and SQL, live until it ends."""
    view = operations.get(operation_id)
    children = children_by_step(operations, view)
    context = {
        "operation": view,
        "children": children,
        "onboarded": any(item.name == view.spoke for item in spokes.all()),
        "parent": operations.get(view.parent_id) if view.parent_id else None,
        "log": whole_log(operations, view, children),
        "sql": tail(operations.sql, operation_id, SHOWN_STATEMENTS),
        "url": path("/operations/{}", operation_id),
    }
    return render(request, "pages/operation.html", context)


@router.post("/operations/{operation_id}/cancel", name="cancel")
def cancel(operations: OperationsDep, actor: ActorDep, operation_id: Name) -> RedirectResponse:
    """Ask it to stop after the step that runs."""
    operations.cancel(operation_id, actor)
    return see(path("/operations/{}", operation_id))


@router.post("/operations/{operation_id}/resume", name="resume")
def resume(operations: OperationsDep, actor: ActorDep, operation_id: Name) -> RedirectResponse:
    """Go on from the step that failed."""
    operations.resume(operation_id, actor)
    return see(path("/operations/{}", operation_id))


def tail(part: Callable[[str, int, int], Page[Numbered]], operation_id: str, shown: int) -> list[Numbered]:
    """The last lines of a log: what is new is what matters, and a page is asked for each second."""
    kept: deque[Numbered] = deque(maxlen=shown)
    after = 0
    while True:
        page = part(operation_id, after, 1000)
        kept.extend(page.items)
        if page.next_cursor is None or not page.items:
            return list(kept)
        after = page.items[-1].seq


def whole_log(
    operations: Operations, view: OperationView, children: dict[str, OperationView]
) -> list[tuple[str, LogLine]]:
    """Its last lines and those of its parts in order of time, each with the step whose part wrote it or ""."""
    lines = [("", line) for line in tail(operations.log, view.id, SHOWN_LINES)]
    for step, child in children.items():
        lines += [(step, line) for line in tail(operations.log, child.id, SHOWN_LINES)]
    return sorted(lines, key=lambda item: item[1].at)[-SHOWN_LINES:]


def children_by_step(operations: Operations, parent: OperationView) -> dict[str, OperationView]:
    """The operations that this one started, by the step that started them; the newest of each."""
    found = operations.list(OperationFilter(parent=parent.id), limit=100).items
    return {child.parent_step: child for child in reversed(found) if child.parent_step}
