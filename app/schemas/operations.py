"""Operations as REST shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.schemas.base import Schema
from services.operations.types import OperationState, OperationView, StepState


class OperationErrorSchema(Schema):
    code: str
    message: str
    hint: str | None
    detail: Any


class StepSchema(Schema):
    name: str
    title: str
    state: StepState
    attempts: int
    progress: float | None
    message: str | None
    result: Any
    error: OperationErrorSchema | None
    started_at: datetime | None
    ended_at: datetime | None


class OperationSchema(Schema):
    """One operation. ``links`` lead to its log, its SQL, its events and the operation it is a part of."""

    id: str
    kind: str
    title: str
    state: OperationState
    actor: str
    spoke: str | None
    environment: str | None
    params: dict[str, Any]
    result: Any
    error: OperationErrorSchema | None
    parent_id: str | None
    parent_step: str | None
    run: int
    revision: int
    cancelling: bool
    can_cancel: bool
    can_resume: bool
    progress: float
    steps: list[StepSchema]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    links: dict[str, str] = {}

    @classmethod
    def of(cls, view: OperationView) -> OperationSchema:
        """The schema of a view, with its links."""
        here = f"/api/v1/operations/{view.id}"
        links = {"self": here, "page": f"/operations/{view.id}"}
        links |= {part: f"{here}/{part}" for part in ("log", "sql", "events")}
        if view.parent_id is not None:
            links["parent"] = f"/api/v1/operations/{view.parent_id}"
        return cls.model_validate(view).model_copy(update={"links": links})


class LogLineSchema(Schema):
    seq: int
    at: datetime
    step: str | None
    attempt: int | None
    level: str
    message: str


class ExecutedSqlSchema(Schema):
    seq: int
    at: datetime
    step: str | None
    attempt: int | None
    text: str
    query_id: str | None
    seconds: float | None
    rows: int | None
    error: str | None
