"""Simulation: what day is it in the example's data, and what comes next?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.pages.format import path
from app.pages.frame import ActorDep, ServicesDep
from app.pages.ports import Services
from app.pages.render import render, see
from services.core.errors import Invalid
from services.simulation.types import SimulationDay

router = APIRouter()


@router.get("/simulation", name="simulation")
def simulation(request: Request, services: ServicesDep) -> HTMLResponse:
    """The calendar, the next step as one button, and the way back."""
    return render(request, "pages/simulation.html", simulation_context(services))


@router.post("/simulation/next", name="simulation_next")
def next_step(services: ServicesDep, actor: ActorDep) -> RedirectResponse:
    """Do what comes next."""
    return see(path("/operations/{}", services.simulation.start_next(actor)))


@router.post("/simulation/reset", name="simulation_reset")
def reset(
    request: Request, services: ServicesDep, actor: ActorDep, confirm: Annotated[str, Form()] = ""
) -> Response:
    """Back to the end of the seed, when the word was typed; otherwise the form again with what is wrong."""
    try:
        return see(path("/operations/{}", services.simulation.start_reset(confirm, actor)))
    except Invalid as refused:
        context = {**simulation_context(services), "typed": confirm, "refused": refused}
        return render(request, "pages/simulation.html", context, status=refused.status)


def simulation_context(services: Services) -> dict[str, Any]:
    """The status, its days in weeks, and the operation on the data that is under way."""
    status = services.simulation.status()
    data = ("data.", "inference.", "predictions.", "example.")
    busy = next((item for item in services.operations.running() if item.kind.startswith(data)), None)
    return {
        "status": status,
        "weeks": weeks(status.days),
        "busy": busy,
        "typed": "",
        "refused": None,
        "url": "/simulation",
    }


def weeks(days: tuple[SimulationDay, ...]) -> list[list[tuple[date, SimulationDay | None]]]:
    """The days in rows from Monday to Sunday, None where the data has no such day yet."""
    if not days:
        return []
    known = {item.day: item for item in days}
    first = days[0].day - timedelta(days=days[0].day.weekday())
    count = (days[-1].day - first).days // 7 + 1
    return [
        [(day, known.get(day)) for day in (first + timedelta(days=7 * week + offset) for offset in range(7))]
        for week in range(count)
    ]
