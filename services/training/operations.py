"""``graphs.deploy``, ``training.run``, ``inference.run``, ``graph.retry``: all that runs a spoke's task graphs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from services.features.service import Features
from services.operations import OperationKind, Params, Step, StepContext
from services.predictions.service import Forecasts
from services.registry.service import Registry
from services.snowflake.scope import INFERENCE_GRAPH, TRAINING_GRAPH, Scope
from services.spokes.service import Spokes
from services.training.following import Follower
from services.training.service import Training


class Target(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


class Run(Target):
    """``wait``: for the end of a run that executes already, instead of being refused."""

    wait: bool = False


class Inference(Run):
    """``days``: predict these again; by default the earliest pending one. ``prediction``: the first declared one
    by default.
    """

    days: tuple[date, ...] = ()
    prediction: str | None = None


class Retry(Target):
    """The graph and its run, which failed."""

    graph: str
    run_id: str


def _key(params: Target) -> str:
    return f"{params.spoke}/{params.environment}"


class TrainingOperations:
    """The kinds of operation of this domain."""

    def __init__(
        self,
        training: Training,
        spokes: Spokes,
        features: Features,
        registry: Registry,
        predictions: Forecasts,
    ) -> None:
        self._training = training
        self._follower = Follower(training)
        self._spokes = spokes
        self._features = features
        self._registry = registry
        self._predictions = predictions

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``graphs.deploy``, ``training.run``, ``inference.run``, ``graph.retry``."""
        return (
            OperationKind(
                "graphs.deploy",
                "Deploy task graphs",
                Target,
                [Step("deploy", "Stage the bundle and deploy the graphs", self.deploy)],
                queue_key=_key,
                validate=self.check_deploy,
                describe=lambda params: f"Deploy the task graphs of {params.spoke} to {params.environment}",
            ),
            OperationKind(
                "training.run",
                "Train a model version",
                Run,
                [
                    Step("start", "Start the run", self.begin(TRAINING_GRAPH), self.stop_run(TRAINING_GRAPH)),
                    self._following(self.stop_run(TRAINING_GRAPH)),
                    Step("version", "Look at the version", self.trained),
                ],
                queue_key=_key,
                validate=self.check_training,
                describe=lambda params: f"Train {params.spoke} in {params.environment}",
            ),
            OperationKind(
                "inference.run",
                "Predict",
                Inference,
                [
                    Step(
                        "start", "Start the run", self.begin(INFERENCE_GRAPH), self.stop_run(INFERENCE_GRAPH)
                    ),
                    self._following(self.stop_run(INFERENCE_GRAPH)),
                    Step("predictions", "Count the forecasts", self.predicted),
                ],
                queue_key=_key,
                validate=self.check_inference,
                describe=lambda params: f"Predict with {params.spoke} in {params.environment}",
            ),
            OperationKind(
                "graph.retry",
                "Retry a run",
                Retry,
                [
                    Step("settle", "Settle which attempt failed", self.settle),
                    Step("start", "Run again what failed", self.run_again, self.stop_retried),
                    self._following(self.stop_retried),
                ],
                queue_key=_key,
                validate=self.check_retry,
                describe=lambda params: f"Retry {params.graph} of {params.spoke} in {params.environment}",
            ),
        )

    def _following(self, cancel: Callable[[StepContext, Any], None]) -> Step[Any]:
        return Step("follow", "Follow its tasks", self.end, cancel)

    def _scope(self, params: Target) -> Scope:
        return self._spokes.scope(params.spoke, params.environment)

    def check_deploy(self, params: Target) -> None:
        """NotFound, Invalid; Conflict for a spoke that is not onboarded."""
        self._scope(params).require()
        self._spokes.declared_config(params.spoke, params.environment)

    def check_training(self, params: Run) -> None:
        """Conflict while graph or features are not deployed, nothing is there to learn from, or a run executes."""
        self._training.require(params.spoke, params.environment, TRAINING_GRAPH)
        self._spokes.require_sources(self._scope(params))
        self._features.require_consumed(params.spoke, params.environment)
        self._check_free(params, TRAINING_GRAPH)

    def _check_free(self, params: Run, graph: str) -> None:
        if not params.wait:
            self._training.require_free(self._scope(params), graph)

    def check_inference(self, params: Inference) -> None:
        """Conflict while graph or features are not deployed, without a model version or a pending day, or while a
        run executes.
        """
        self._training.require(params.spoke, params.environment, INFERENCE_GRAPH)
        self._features.require_consumed(params.spoke, params.environment)
        self._registry.require_version(params.spoke, params.environment)
        self._predictions.require_pending(params.spoke, params.environment, params.days, params.prediction)
        self._check_free(params, INFERENCE_GRAPH)

    def check_retry(self, params: Retry) -> None:
        """NotFound for the run; Conflict unless it failed and its graph is as it was and free."""
        self._training.require_retryable(params.spoke, params.environment, params.graph, params.run_id)
        scope = self._scope(params)
        self._training.require_free(scope, params.graph)

    def deploy(self, context: StepContext, params: Target) -> Any:
        """Stage the bundle, make the procedures and the tasks; graphs that are unchanged are kept."""
        target = self._spokes.deployment_target(params.spoke, params.environment)
        return self._spokes.deploy(context, target, "graphs")

    def begin(self, graph: str) -> Callable[[StepContext, Any], Any]:
        """The step that starts a run."""

        def step(context: StepContext, params: Run) -> Any:
            config = None
            if isinstance(params, Inference) and params.days:
                config = {"days": [day.isoformat() for day in params.days]}
            scope = self._scope(params)
            return self._follower.start(context, scope, graph, config, params.wait)

        return step

    def stop_run(self, graph: str) -> Callable[[StepContext, Any], None]:
        """What ends the run when the operation is cancelled."""

        def cancel(context: StepContext, params: Target) -> None:
            self._follower.stop(context, self._scope(params), graph)

        return cancel

    def stop_retried(self, context: StepContext, params: Retry) -> None:
        """End the run that was retried."""
        scope = self._scope(params)
        self._follower.stop(context, scope, params.graph, params.run_id)

    def end(self, context: StepContext, params: Target) -> Any:
        """Follow the run that the first step started."""
        run = context.result_of("start")
        scope = self._scope(params)
        return self._follower.follow(context, scope, run["graph"], run["run_id"])

    def trained(self, context: StepContext, params: Target) -> dict[str, Any]:
        """The model version that the run registered, and whether it became the default one."""
        run = context.result_of("follow")
        request = context.operation_id
        found = None
        for model in self._registry.models(params.spoke, params.environment):
            found = next((version for version in model.versions if version.run_id == request), found)
        result = {"graph": run["graph"], "run_id": run["run_id"], "tasks": run["tasks"]}
        if found is None:
            context.log("The run registered no model version", "warning")
            return {**result, "model": None, "version": None, "promoted": False}
        promoted = run["tasks"].get("PROMOTE_MODEL") == "SUCCEEDED"
        told = ", ".join(
            f"{name} {found.metrics[name]:.4f}" for name in ("mae", "naive_mae") if name in found.metrics
        )
        context.log(f"{found.model} {found.version}{' is the default version' if promoted else ''}: {told}")
        return {
            **result,
            "model": found.model,
            "version": found.version,
            "metrics": dict(found.metrics),
            "promoted": promoted,
        }

    def predicted(self, context: StepContext, params: Inference) -> dict[str, Any]:
        """The days that the run forecast."""
        run = context.result_of("follow")
        made = run["returned"].get("MAKE_PREDICTIONS", {})
        alerts = run["returned"].get("SEND_HIGH_CAPACITY_ALERTS", {})
        days = made.get("days", [])
        more = made.get("days_count", len(days)) - len(days)
        told = ", ".join(days) + (f" and {more} more days" if more else "")
        context.log(f"{made.get('predictions', 0)} forecasts for {told or 'no day'}")
        return {
            "graph": run["graph"],
            "run_id": run["run_id"],
            "tasks": run["tasks"],
            "version": made.get("version"),
            # All of them: of many, the task returns the first ones.
            "days": sorted({day.isoformat() for day in params.days}) or days,
            "predictions": made.get("predictions", 0),
            "alerts": alerts.get("alerts", 0),
        }

    def settle(self, context: StepContext, params: Retry) -> dict[str, Any]:
        """The attempt that failed: what was settled outlives a crash of the next step."""
        run = self._training.require_retryable(params.spoke, params.environment, params.graph, params.run_id)
        return {"attempt": run.attempt}

    def run_again(self, context: StepContext, params: Retry) -> dict[str, Any]:
        """Retry the run, once: a further attempt that is there already is the one that this step began."""
        run = self._training.run(params.spoke, params.environment, params.graph, params.run_id)
        if run.attempt == context.result_of("settle")["attempt"]:
            self._follower.retry(context, self._scope(params), run)
        return {"graph": params.graph, "run_id": params.run_id}
