"""REST: the synthetic data's calendar, and what moves it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.parameters import Body
from app.dependencies import OperationsDep, SimulationDep, SubmitDep, UserDep, accepted
from app.schemas.simulation import SimulationStatus
from services.simulation.days import MOST_DAYS

router = APIRouter(prefix="/simulation", tags=["simulation"])


class PhaseRequest(Body):
    """The day; by default the next one."""

    day: date | None = None


class SeedRequest(Body):
    """``reset`` deletes the rows that are there."""

    reset: bool = False


class DaysRequest(Body):
    """How many days; ``trouble`` goes wrong on every third of them."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 1
    trouble: str | None = None


class ResetRequest(Body):
    """``confirm`` is the word that the status names."""

    confirm: str


@router.get("")
def get_status(simulation: SimulationDep, days: Annotated[int, Query(ge=1, le=400)] = 42) -> SimulationStatus:
    """The last days and the next step."""
    return SimulationStatus.model_validate(simulation.status(days))


@router.post("/seed", status_code=202, response_model=None)
def seed(submit: SubmitDep, body: SeedRequest | None = None) -> JSONResponse:
    """Load the synthetic network; what is loaded already is left as it is."""
    return submit("data.seed", {"reset": (body or SeedRequest()).reset})


@router.post("/morning", status_code=202, response_model=None)
def morning(submit: SubmitDep, body: PhaseRequest | None = None) -> JSONResponse:
    """Announce the parcels of the next day; 409 while an evening is open."""
    return submit("data.morning", _day(body))


@router.post("/evening", status_code=202, response_model=None)
def evening(submit: SubmitDep, body: PhaseRequest | None = None) -> JSONResponse:
    """Bring in the occupancy of the day; 409 before its morning."""
    return submit("data.evening", _day(body))


@router.post("/run", status_code=202, response_model=None)
def run_days(submit: SubmitDep, body: DaysRequest | None = None) -> JSONResponse:
    """Let days pass: morning, forecasts, evening, evaluation. Troubles: failing-task, broken-feature, late-data."""
    sent = body or DaysRequest()
    return submit("simulation.run", {"days": sent.days, "trouble": sent.trouble})


@router.post("/reset", status_code=202, response_model=None)
def reset(
    simulation: SimulationDep, operations: OperationsDep, user: UserDep, body: ResetRequest
) -> JSONResponse:
    """Back to the end of the seed."""
    operation = simulation.start_reset(body.confirm, user.name)
    return accepted(operations.get(operation))


@router.post("/next", status_code=202, response_model=None)
def next_step(operations: OperationsDep, simulation: SimulationDep, user: UserDep) -> JSONResponse:
    """Do what comes next; 409 while an operation on the data is under way."""
    return accepted(operations.get(simulation.start_next(user.name)))


def _day(body: PhaseRequest | None) -> dict[str, date | None]:
    return {"day": body.day if body else None}
