"""Failures: has every failure been handled?"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.addresses import Name, path
from app.dependencies import FailuresDep, SpokesDep
from app.limits import Text
from app.pages.frame import ActorDep
from app.pages.render import render, see
from services.core.clock import utc_now
from services.core.errors import Invalid
from services.core.hub import HUB
from services.failures.asked import Change, FailureFilter
from services.failures.service import Failures
from services.failures.types import SORTS, STATES, FailureState

router = APIRouter()
_ALL = "all"
# What the list's address may say, in order.
_NAMES = ("state", "spoke", "environment", "owner", "text", "sort")
# What a button of the list means.
ACTIONS: dict[str, FailureState] = {"acknowledge": "acknowledged", "resolve": "resolved", "open": "open"}
FormText = Annotated[str, Form()]
MaybeText = Annotated[str | None, Form()]


@router.get("/failures", name="failures")
def list_failures(
    request: Request,
    failures: FailuresDep,
    spokes: SpokesDep,
    state: Text = None,
    spoke: Text = None,
    environment: Text = None,
    owner: Text = None,
    text: Text = None,
    sort: Text = None,
    cursor: Text = None,
) -> HTMLResponse:
    """Open groups by default, the newest first."""
    told = (state, spoke, environment, owner, text, sort)
    asked = {name: value or None for name, value in zip(_NAMES, told, strict=True)}
    context = _context(failures, spokes, asked, cursor)
    return render(request, "pages/failures.html", context)


@router.post("/failures", name="change_failures")
def change_failures(
    request: Request,
    failures: FailuresDep,
    spokes: SpokesDep,
    actor: ActorDep,
    action: FormText,
    back: FormText = "/failures",
    ids: Annotated[list[str] | None, Form()] = None,
    owner: FormText = "",
) -> Response:
    """Acknowledge, resolve, open again or assign what was chosen."""
    change = Change(owner=owner) if action == "assign" else Change(state=ACTIONS.get(action))
    try:
        failures.change(ids or [], change, actor)
    except Invalid as refused:
        context = {**_context(failures, spokes, dict.fromkeys(_NAMES), None), "refused": refused}
        return render(request, "pages/failures.html", context, status=refused.status)
    return see(back if back.startswith("/failures") else "/failures")


@router.get("/failures/{failure_id}", name="failure")
def show(request: Request, failures: FailuresDep, failure_id: Name) -> HTMLResponse:
    """One group: its message, its occurrences, who handles it."""
    return render(request, "pages/failure.html", _one(failures, failure_id))


@router.post("/failures/{failure_id}", name="change_failure")
def change(
    request: Request,
    failures: FailuresDep,
    actor: ActorDep,
    failure_id: Name,
    action: FormText = "",
    owner: MaybeText = None,
    note: MaybeText = None,
) -> Response:
    """What the form says of the group, and then the group again."""
    try:
        failures.change([failure_id], Change(ACTIONS.get(action), owner, note), actor)
    except Invalid as refused:
        shown = {**_one(failures, failure_id), "refused": refused, "typed": {"owner": owner, "note": note}}
        return render(request, "pages/failure.html", shown, status=refused.status)
    return RedirectResponse(path("/failures/{}", failure_id), 303)


def _context(
    failures: Failures, spokes: SpokesDep, asked: dict[str, str | None], cursor: str | None
) -> dict[str, Any]:
    state = asked["state"] or "open"
    if state not in (*STATES, _ALL):
        raise Invalid(f"There is no state {state!r}", hint=f"Use one of {', '.join((*STATES, _ALL))}.")
    wanted = FailureFilter(
        next((one for one in STATES if one == state), None),
        asked["spoke"],
        asked["environment"],
        owner="" if asked["owner"] == "-" else asked["owner"],
        text=asked["text"],
    )
    page = failures.search(wanted, asked["sort"] or "last", 50, cursor)
    everywhere = failures.search(FailureFilter(), limit=1)
    known = spokes.all()
    return {
        "page": page,
        "asked": asked,
        "state": state,
        "states": (*STATES, _ALL),
        "counts": {**dict(page.counts), _ALL: sum(count for _, count in page.counts)},
        "ever": sum(count for _, count in everywhere.counts),
        "filtered": any(value for key, value in asked.items() if key not in ("state", "sort")),
        "sorts": SORTS,
        "spokes": [*((one.name, one.title) for one in known), (HUB, "The hub")],
        "hub_itself": HUB,
        "environments": sorted({here.environment for one in known for here in one.environments}),
        "url": path("/failures", **asked, cursor=cursor),
        "next_url": path("/failures", **asked, cursor=page.next_cursor),
        "refused": None,
        "now": utc_now(),
    }


def _one(failures: Failures, failure_id: str) -> dict[str, Any]:
    return {
        "failure": failures.get(failure_id),
        "hub_itself": HUB,
        "refused": None,
        "typed": {},
        "url": path("/failures/{}", failure_id),
    }
