"""Simulation: what day is it in the example's data, and what comes next?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.addresses import path
from app.dependencies import OperationsDep, SimulationDep
from app.pages.frame import ActorDep
from app.pages.render import render, see
from services.core.errors import Invalid
from services.operations import OperationFilter, Operations
from services.simulation.days import MOST_DAYS
from services.simulation.service import Simulation
from services.simulation.trouble import TROUBLES
from services.simulation.types import SimulationDay

router = APIRouter()
# The kinds of operation that change the days.
ON_DATA = ("simulation.", "data.", "inference.", "predictions.", "example.")
# What a day goes through, in order; the word for it and the operation that does it.
PHASES = {
    "data.morning": "Morning",
    "inference.run": "Forecast",
    "data.evening": "Evening",
    "predictions.evaluate": "Evaluation",
}


@router.get("/simulation", name="simulation")
def show(request: Request, simulation: SimulationDep, operations: OperationsDep) -> HTMLResponse:
    """The calendar, the next step as one button, and the way back."""
    return render(request, "pages/simulation.html", context(simulation, operations))


@router.post("/simulation/next", name="simulation_next")
def next_step(simulation: SimulationDep, actor: ActorDep) -> RedirectResponse:
    """Do what comes next, and stay: the page follows the operation, and the step after it is the same button."""
    simulation.start_next(actor)
    return see("/simulation")


@router.post("/simulation/run", name="simulation_run")
def run_days(
    request: Request,
    simulation: SimulationDep,
    operations: OperationsDep,
    actor: ActorDep,
    days: Annotated[str, Form()] = "7",
    trouble: Annotated[str, Form()] = "",
) -> Response:
    """Let several days pass; the form again with what is wrong."""
    try:
        count = int(days) if days.isdecimal() and len(days) < 4 else 0
        if not 1 <= count <= MOST_DAYS:
            raise Invalid(f"{days!r} is no number of days", hint=f"Use 1 to {MOST_DAYS}.")
        simulation.start_days(count, trouble or None, actor)
    except Invalid as refused:
        shown = {**context(simulation, operations), "days": days, "trouble": trouble, "days_refused": refused}
        return render(request, "pages/simulation.html", shown, status=refused.status)
    return see("/simulation")


@router.post("/simulation/reset", name="simulation_reset")
def reset(
    request: Request,
    simulation: SimulationDep,
    operations: OperationsDep,
    actor: ActorDep,
    confirm: Annotated[str, Form()] = "",
) -> Response:
    """Back to the end of the seed, when the word was typed; otherwise the form again with what is wrong."""
    try:
        return see(path("/operations/{}", simulation.start_reset(confirm, actor)))
    except Invalid as refused:
        shown = {**context(simulation, operations), "typed": confirm, "refused": refused}
        return render(request, "pages/simulation.html", shown, status=refused.status)


def context(simulation: Simulation, operations: Operations) -> dict[str, Any]:
    """The status, its days in weeks, and the operation on the data that is under way."""
    status = simulation.status()
    busy = next((item for item in operations.running() if item.kind.startswith(ON_DATA)), None)
    latest = operations.list(OperationFilter(parent="none", routine=False), limit=20).items
    last = next((item for item in latest if item.state.final and item.kind.startswith(ON_DATA)), None)
    return {
        "status": status,
        "weeks": weeks(status.days, status.next.day if status.next else None),
        "busy": busy,
        "last": last,
        "phases": PHASES,
        "typed": "",
        "days": "7",
        "trouble": "",
        "days_refused": None,
        "troubles": tuple(TROUBLES.values()),
        "most_days": MOST_DAYS,
        "refused": None,
        "url": "/simulation",
    }


def weeks(
    days: tuple[SimulationDay, ...], coming: date | None = None
) -> list[list[tuple[date, SimulationDay | None]]]:
    """The days to the coming one in rows from Monday to Sunday, None where the data has no such day yet."""
    if not days:
        return []
    known = {item.day: item for item in days}
    first = days[0].day - timedelta(days=days[0].day.weekday())
    count = (max(days[-1].day, coming or days[-1].day) - first).days // 7 + 1
    return [
        [(day, known.get(day)) for day in (first + timedelta(days=7 * week + offset) for offset in range(7))]
        for week in range(count)
    ]
