"""Reads the account anew when somebody asks for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from app.dependencies import KnowledgeDep
from app.pages.render import see

router = APIRouter()
# How long the form waits for the reading that it asked for; the page goes on asking.
_WAIT_SECONDS = 1.5


@router.post("/read", name="read_now")
def read(
    knowledge: KnowledgeDep,
    part: Annotated[list[str] | None, Form()] = None,
    back: Annotated[str, Form()] = "/",
) -> RedirectResponse:
    """Read some parts of the account, or all, and go back."""
    knowledge.request(part or (), _WAIT_SECONDS)
    return see(back if _is_ours(back) else "/")


def _is_ours(address: str) -> bool:
    """Whether it is a path on this host, whatever a browser makes of it."""
    return address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
