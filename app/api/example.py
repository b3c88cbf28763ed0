"""REST: the example's set-up."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.dependencies import ExampleDep, OperationsDep, UserDep, accepted
from app.schemas.example import ExampleState

router = APIRouter(prefix="/example", tags=["example"])


@router.get("")
def get_state(example: ExampleDep) -> ExampleState:
    """How far it is."""
    return ExampleState.model_validate(example.state())


@router.post("", status_code=202, response_model=None)
def start(operations: OperationsDep, example: ExampleDep, user: UserDep) -> JSONResponse:
    """Set the example up, or go on with the set-up that failed."""
    return accepted(operations.get(example.start(user.name)))
