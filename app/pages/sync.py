"""Readings: as of when is what the pages show, and what did it cost?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.dependencies import SyncDep
from app.pages.frame import ActorDep
from app.pages.render import render, see

router = APIRouter()
FormName = Annotated[str | None, Form()]


@router.get("/sync", name="sync")
def readings(request: Request, sync: SyncDep) -> HTMLResponse:
    """Every source of the history, and the readings to come."""
    return render(request, "pages/sync.html", {"status": sync.status(), "url": "/sync"})


@router.post("/sync", name="read_now")
def read_now(
    sync: SyncDep, actor: ActorDep, spoke: FormName = None, environment: FormName = None
) -> RedirectResponse:
    """Read the account now, all of it or one spoke's part; then the readings again."""
    sync.start(actor, spoke or None, environment or None)
    return see("/sync")
