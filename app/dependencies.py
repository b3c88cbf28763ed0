"""What routes are given: the operations, who asks, and the way to start work."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse

from app.auth import User
from app.composition import Services
from app.schemas.operations import OperationSchema
from services.operations import Operations, OperationView, Params
from services.snowflake import recent


def get_services(request: Request) -> Services:
    """The application's container of domains."""
    services: Services = request.app.state.services
    return services


async def look(request: Request) -> None:
    """Who only looks may be answered with what the account said a moment ago.

    Not a plain function: those run in another thread, which has a context of its own.
    """
    recent.look(request.method in ("GET", "HEAD"))


def get_operations(request: Request) -> Operations:
    operations: Operations = request.app.state.services.operations
    return operations


def get_user(request: Request) -> User:
    user: User = request.state.user
    return user


OperationsDep = Annotated[Operations, Depends(get_operations)]
UserDep = Annotated[User, Depends(get_user)]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Repeating a request with its key does its work once."),
]
ServicesDep = Annotated[Services, Depends(get_services)]
Submit = Callable[[str, Params | dict[str, Any]], JSONResponse]


def accepted(view: OperationView) -> JSONResponse:
    """202 with the operation, and its address in Location."""
    body = OperationSchema.of(view).model_dump(mode="json")
    return JSONResponse(body, 202, {"Location": f"/api/v1/operations/{view.id}"})


def get_submit(operations: OperationsDep, user: UserDep, key: IdempotencyKey = None) -> Submit:
    """``submit(kind, params)`` starts work in the asker's name and answers 202."""

    def submit(kind: str, params: Params | dict[str, Any]) -> JSONResponse:
        return accepted(operations.submit(kind, params, actor=user.name, idempotency_key=key))

    return submit


SubmitDep = Annotated[Submit, Depends(get_submit)]
