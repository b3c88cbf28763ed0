"""Operations and the example's set-up, as the sample has them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sample_account import RUN_ID, now

from services.core.errors import Conflict, NotFound
from services.example.types import ExampleState
from services.operations.types import (
    ExecutedSql,
    LogLine,
    OperationError,
    OperationFilter,
    OperationState,
    OperationView,
    Page,
    StepState,
    StepView,
)


@dataclass
class Example:
    """The example's set-up in any state."""

    state_name: str = "succeeded"

    def state(self) -> ExampleState:
        return ExampleState(
            True, ("pudo",), self.state_name, None if self.state_name == "absent" else "op-setup"
        )  # type: ignore[arg-type]

    def start(self, actor: str) -> str:
        return "op-setup"


SETUP = (
    ("hub", "Set up the hub", "hub.apply"),
    ("seed", "Seed the parcel network", "data.seed"),
    ("onboard", "Onboard the PUDO spoke", "spoke.onboard"),
    ("features", "Deploy its feature views", "features.deploy"),
    ("graphs", "Deploy its task graphs", "graphs.deploy"),
    ("training", "Train and register the model", "training.run"),
    ("promote", "Make it the default version", "model.promote"),
    ("morning", "Receive a morning's parcels", "data.morning"),
    ("inference", "Predict the day", "inference.run"),
    ("evening", "Receive the evening", "data.evening"),
    ("evaluate", "Compare forecast and actual", "predictions.evaluate"),
)


def operation(state: str, operation_id: str = "op-setup", done: int | None = None) -> OperationView:
    """A set-up operation in this state; `done` steps are finished."""
    done = len(SETUP) if state == "succeeded" else 5 if done is None else done
    start = now() - timedelta(seconds=41)
    steps = []
    for index, (name, title, _) in enumerate(SETUP):
        step_state = StepState.SUCCEEDED if index < done else StepState.PENDING
        if index == done and state in ("running", "failed", "cancelled"):
            step_state = StepState(state)
        started = start + timedelta(seconds=4 * index) if step_state != StepState.PENDING else None
        failed = step_state == StepState.FAILED
        steps.append(
            StepView(
                name,
                title,
                step_state,
                0 if started is None else 1,
                0.4 if step_state == StepState.RUNNING else None,
                "TRAIN_MODEL is executing" if step_state == StepState.RUNNING else None,
                {"rows": 365000} if name == "seed" and step_state == StepState.SUCCEEDED else None,
                _error() if failed else None,
                started,
                started + timedelta(seconds=3.7) if started and step_state != StepState.RUNNING else None,
            )
        )
    final = state in ("succeeded", "failed", "cancelled")
    return OperationView(
        operation_id,
        "example.setup",
        "Set up the example",
        OperationState(state),
        "administrator",
        "pudo",
        "DEV",
        {"spoke": "pudo", "environment": "DEV"},
        {"version": "V20250701_0602"} if state == "succeeded" else None,
        _error() if state == "failed" else None,
        None,
        None,
        1,
        17,
        False,
        done / len(SETUP),
        tuple(steps),
        start,
        start,
        now() if final else None,
    )


def _error() -> OperationError:
    return OperationError(
        "graph_failed",
        "The training run failed in TRAIN_MODEL: the training split is empty.",
        "Look at the run, mend the data, then resume.",
        {"run_id": RUN_ID},
    )


@dataclass
class Operations:
    """A set-up with children; its state can be chosen."""

    state: str = "succeeded"
    running_now: bool = False
    cancelled: list[str] = field(default_factory=list)

    def _all(self) -> tuple[OperationView, ...]:
        parent = operation(self.state)
        children = tuple(
            replace(
                parent,
                id=f"op-{name}",
                kind=kind,
                title=title,
                parent_id="op-setup",
                parent_step=name,
                state=OperationState(step.state.value),
                steps=(replace(step, title=title),),
                started_at=step.started_at,
                ended_at=step.ended_at,
                progress=1.0 if step.state == StepState.SUCCEEDED else 0.4,
                error=step.error,
            )
            for (name, title, kind), step in zip(SETUP, parent.steps, strict=True)
        )
        return (parent, *children)

    def get(self, operation_id: str) -> OperationView:
        for item in self._all():
            if item.id == operation_id:
                return item
        raise NotFound(f"There is no operation {operation_id}.", hint="GET /api/v1/operations lists them.")

    def list(self, where: OperationFilter, limit: int = 50, cursor: str | None = None) -> Page[OperationView]:
        found = [
            item
            for item in self._all()
            if where.kind in (None, item.kind)
            and where.state in (None, item.state)
            and (where.parent is None or item.parent_id == (None if where.parent == "none" else where.parent))
        ]
        return Page(tuple(found[:limit]))

    def log(self, operation_id: str, after: int = 0, limit: int = 1000) -> Page[LogLine]:
        start = now() - timedelta(seconds=40)
        lines = [
            LogLine(
                index + 1,
                start + timedelta(seconds=index * 3),
                step.name,
                1,
                "error" if step.state == StepState.FAILED else "info",
                f"{step.title}: {step.state.value}",
            )
            for index, step in enumerate(operation(self.state).steps)
            if step.started_at
        ]
        return Page(tuple(lines[after:]))

    def sql(self, operation_id: str, after: int = 0, limit: int = 1000) -> Page[ExecutedSql]:
        texts = (
            "CREATE DATABASE IF NOT EXISTS SPOKEHUB",
            "CREATE SCHEMA IF NOT EXISTS SPOKEHUB.SHARED_DATA",
            "COPY INTO SPOKEHUB.SHARED_DATA.PARCELS\nFROM @SEED_STAGE/parcels\nFILE_FORMAT = (TYPE = PARQUET)",
        )
        return Page(
            tuple(
                ExecutedSql(
                    index + 1, now(), "seed", 1, text, f"01c4e2a7-0{index}", 0.08 * (index + 1), 1, None
                )
                for index, text in enumerate(texts)
            )
        )

    def cancel(self, operation_id: str, actor: str) -> OperationView:
        self.cancelled.append(operation_id)
        return self.get(operation_id)

    def resume(self, operation_id: str, actor: str) -> OperationView:
        if self.get(operation_id).state != OperationState.FAILED:
            raise Conflict("Only what failed can be resumed.", hint="Start a new one.")
        return self.get(operation_id)

    def running(self) -> tuple[OperationView, ...]:
        return (operation("running"),) if self.running_now else ()
