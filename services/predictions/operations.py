"""``predictions.evaluate``: what really came is written beside what was predicted."""

from __future__ import annotations

import json
from typing import Any

from services.core.errors import Conflict
from services.operations import OperationKind, Params, Step, StepContext
from services.predictions.service import Forecasts
from services.snowflake.scope import Scopes

# Days that the operation tells of.
_TOLD = 30


class Evaluate(Params):
    """A prediction of a spoke in an environment, by default the first declared one."""

    spoke: str
    environment: str
    prediction: str | None = None


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
        """Conflict when no prediction waits for its actual."""
        self._predictions.require_unscored(params.spoke, params.environment, params.prediction)

    def evaluate(self, context: StepContext, params: Evaluate) -> dict[str, Any]:
        """Call the spoke's procedure; doing so twice writes the same."""
        scope = self._scopes(params.spoke, params.environment)
        where = (params.spoke, params.environment, params.prediction)
        contract = self._predictions.contract(*where).contract
        if contract.evaluate is None:
            raise Conflict(
                f"{params.spoke} no longer declares a procedure that evaluates", code="not_evaluable"
            )
        config = {**scope.parameters, "request_id": context.operation_id}
        with context.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CALL {scope.own(contract.evaluate)}(%s)", (json.dumps(config),))
        self._predictions.copy(*where, context)
        days = self._predictions.evaluations(*where, _TOLD).items
        for one in days[:1]:
            naive = "" if one.naive_loss is None else f", naive {one.naive_loss:.4f}"
            context.log(f"{one.day}: mean loss {one.loss or 0:.4f}{naive}, over {one.n} predictions")
        return {
            "days": [
                {"day": one.day.isoformat(), "n": one.n, "loss": one.loss, "naive_loss": one.naive_loss}
                for one in days
            ]
        }
