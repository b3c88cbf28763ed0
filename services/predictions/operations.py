"""``predictions.evaluate``: what really came is written beside what was predicted."""

from __future__ import annotations

import json
from typing import Any

from services.operations import OperationKind, Params, Step, StepContext
from services.predictions.service import Forecasts
from services.snowflake.scope import Scopes

PROCEDURE = "EVALUATE_PREDICTIONS"


class Evaluate(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


class PredictionsOperations:
    """The kinds of operation of this domain."""

    def __init__(self, predictions: Forecasts, scopes: Scopes) -> None:
        self._predictions = predictions
        self._scopes = scopes

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``predictions.evaluate``."""
        return (
            OperationKind(
                "predictions.evaluate",
                "Evaluate predictions",
                Evaluate,
                [Step("evaluate", "Write the actuals beside the forecasts", self.evaluate)],
                queue_key=lambda params: f"{params.spoke}/{params.environment}",
                validate=self.check,
                describe=lambda params: f"Evaluate the predictions of {params.spoke} in {params.environment}",
            ),
        )

    def check(self, params: Evaluate) -> None:
        """Conflict when no forecast waits for its actual."""
        self._predictions.require_unscored(params.spoke, params.environment)

    def evaluate(self, context: StepContext, params: Evaluate) -> dict[str, Any]:
        """Call the spoke's procedure; doing so twice writes the same."""
        scope = self._scopes(params.spoke, params.environment)
        config = {**scope.parameters, "request_id": context.operation_id}
        with context.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CALL {scope.own(PROCEDURE)}(%s)", (json.dumps(config),))
            [row] = cursor.fetchall()
        days = json.loads(row[0])["days"]
        for one in days[:1]:
            context.log(
                f"{one['day']}: MAE {one['mae']:.4f}, naive {one['naive_mae']:.4f}, over {one['n']:.0f} points"
            )
        return {"days": days}
