"""Hub: does the account match what was declared?"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.addresses import path
from app.dependencies import HubDep
from app.pages.frame import ActorDep
from app.pages.render import render, see

router = APIRouter()


@router.get("/hub", name="hub")
def hub(request: Request, hub: HubDep) -> HTMLResponse:
    """The plan: what is there, what is missing, what nobody declared."""
    return render(request, "pages/hub.html", {"plan": hub.plan(), "url": "/hub"})


@router.post("/hub/apply", name="apply_hub")
def apply(hub: HubDep, actor: ActorDep) -> RedirectResponse:
    """Create and change what the plan says."""
    return see(path("/operations/{}", hub.start_apply(actor)))
