"""``predictions.evaluate``: what really came is written beside what was predicted."""

from __future__ import annotations

import json
from typing import Any

from services.operations import OperationKind, Params, Step, StepContext

PROCEDURE = "EVALUATE_PREDICTIONS"


class Evaluate(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


def check(params: Evaluate, services: Any) -> None:
    """Conflict when no forecast waits for its actual."""
    services.predictions.require_unscored(params.spoke, params.environment)


def evaluate(context: StepContext, params: Evaluate) -> dict[str, Any]:
    """Call the spoke's procedure; doing so twice writes the same."""
    scope = context.services.spokes.scope(params.spoke, params.environment)
    config = json.dumps(
        {"database": scope.hub.database, "environment": scope.environment, "request_id": context.operation_id}
    )
    with context.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CALL {scope.own(PROCEDURE)}(%s)", (config,))
        [row] = cursor.fetchall()
    days = json.loads(row[0])["days"]
    for one in days[:1]:
        context.log(
            f"{one['day']}: MAE {one['mae']:.4f}, naive {one['naive_mae']:.4f}, over {one['n']:.0f} points"
        )
    return {"days": days}


KINDS = (
    OperationKind(
        "predictions.evaluate",
        "Evaluate predictions",
        Evaluate,
        [Step("evaluate", "Write the actuals beside the forecasts", evaluate)],
        queue_key=lambda params: f"{params.spoke}/{params.environment}",
        validate=check,
        describe=lambda params: f"Evaluate the predictions of {params.spoke} in {params.environment}",
    ),
)
