"""Deploys, runs and retries a spoke's task graphs, each as an operation that follows them to their end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from pydantic import field_validator

from services.features.service import Features
from services.operations import OperationKind, Params, Step, StepContext
from services.predictions.service import Forecasts
from services.registry.service import Registry
from services.registry.types import ModelVersion
from services.snowflake.scope import Scope
from services.spokes.service import Spokes
from services.training.controls import GraphControls
from services.training.declared import DeclaredGraph
from services.training.following import Follower
from services.training.service import Training, check_config

# What tasks that predict may return, for the operation to tell of.
_SAID = ("version", "days", "days_count", "predictions", "alerts")


class Target(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


class Run(Target):
    """``graph`` as the manifest has it. ``wait``: for the end of a run that executes already, instead of being
    refused. ``config`` is merged over the graph's own, field by field, for this run alone.
    """

    graph: str
    wait: bool = False
    config: dict[str, Any] = {}

    @field_validator("config")
    @classmethod
    def _sendable(cls, value: dict[str, Any]) -> dict[str, Any]:
        return check_config(value)


class Inference(Run):
    """``days``: predict these again; by default the earliest pending one."""

    days: tuple[date, ...] = ()


class Retry(Target):
    """The graph and its run, which failed."""

    graph: str
    run_id: str


R = TypeVar("R", bound=Run)


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
        self._controls = GraphControls(training, spokes, self._follower)

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``graphs.deploy``, ``training.run``, ``inference.run``, ``graph.run``, ``graph.retry``; the controls'."""
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
            self._running("training.run", "Train a model version", Run, self.check_training, self.trained),
            self._running("inference.run", "Predict", Inference, self.check_inference, self.predicted),
            self._running("graph.run", "Run a graph", Run, self.check_run, self.ended),
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
            *self._controls.kinds(),
        )

    def _running(
        self,
        kind: str,
        title: str,
        params: type[R],
        check: Callable[[R], None],
        result: Callable[[StepContext, R], dict[str, Any]],
    ) -> OperationKind[R]:
        return OperationKind(
            kind,
            title,
            params,
            [
                Step("start", "Start the run", self.begin, self.stop_run),
                self._following(self.stop_run),
                Step("result", "Read what came of it", result),
            ],
            queue_key=_key,
            validate=check,
            describe=lambda params: f"Run {params.graph} of {params.spoke} in {params.environment}",
        )

    def _following(self, cancel: Callable[[StepContext, Any], None]) -> Step[Any]:
        return Step("follow", "Follow its tasks", self.end, cancel)

    def _scope(self, params: Target) -> Scope:
        return self._spokes.scope(params.spoke, params.environment)

    def check_deploy(self, params: Target) -> None:
        """NotFound, Invalid; Conflict for a spoke that is not onboarded."""
        self._scope(params).require()
        self._spokes.declared(params.spoke, params.environment)

    def check_run(self, params: Run) -> None:
        """NotFound for a graph that is not declared; Conflict while it or its features are not deployed, or while a
        run executes.
        """
        self._declared(params)
        self._training.require(params.spoke, params.environment, params.graph)
        self._features.require_consumed(params.spoke, params.environment)
        if not params.wait:
            self._training.require_free(self._scope(params), params.graph)

    def check_training(self, params: Run) -> None:
        """As ``check_run``; Conflict when nothing is there to learn from."""
        self._spokes.require_sources(self._scope(params))
        self.check_run(params)

    def check_inference(self, params: Inference) -> None:
        """As ``check_run``; Conflict without a model version or a pending day."""
        declared = self._declared(params)
        self._training.require(params.spoke, params.environment, params.graph)
        scope = self._scope(params)
        prediction = scope.declared.predictions.get(declared.predicts or "")
        if prediction is not None and prediction.model is not None:
            self._registry.require_version(params.spoke, params.environment, prediction.model)
        self._predictions.require_pending(params.spoke, params.environment, params.days, declared.predicts)
        self.check_run(params)

    def _declared(self, params: Run) -> DeclaredGraph:
        return self._training.declared(params.spoke, params.environment, params.graph)

    def check_retry(self, params: Retry) -> None:
        """NotFound for the run; Conflict unless it failed and its graph is as it was and free."""
        self._training.require_retryable(params.spoke, params.environment, params.graph, params.run_id)
        scope = self._scope(params)
        self._training.require_free(scope, params.graph)

    def deploy(self, context: StepContext, params: Target) -> Any:
        """Stage the bundle, make the procedures and the tasks; graphs that are unchanged are kept."""
        target = self._spokes.deployment_target(params.spoke, params.environment)
        return self._spokes.deploy(context, target, "graphs")

    def begin(self, context: StepContext, params: Run) -> Any:
        """Start the run; found again when it was."""
        config = dict(params.config)
        if isinstance(params, Inference) and params.days:
            config["days"] = [day.isoformat() for day in params.days]
        return self._follower.start(context, self._scope(params), params.graph, config, params.wait)

    def stop_run(self, context: StepContext, params: Run) -> None:
        """End the run when the operation is cancelled."""
        self._follower.stop(context, self._scope(params), params.graph)

    def stop_retried(self, context: StepContext, params: Retry) -> None:
        """End the run that was retried."""
        scope = self._scope(params)
        self._follower.stop(context, scope, params.graph, params.run_id)

    def end(self, context: StepContext, params: Target) -> Any:
        """Follow the run that the first step started."""
        run = context.result_of("start")
        scope = self._scope(params)
        return self._follower.follow(context, scope, run["graph"], run["run_id"])

    def ended(self, context: StepContext, params: Run) -> dict[str, Any]:
        """The run, and what its tasks returned."""
        run = context.result_of("follow")
        return {name: run[name] for name in ("graph", "run_id", "tasks", "returned")}

    def trained(self, context: StepContext, params: Run) -> dict[str, Any]:
        """The model version that the run registered, whether it passed its gates, and whether it is the default."""
        run = context.result_of("follow")
        found, request = None, context.operation_id
        for model in self._registry.models(params.spoke, params.environment):
            found = next((version for version in model.versions if version.run_id == request), found)
        result = {name: run[name] for name in ("graph", "run_id", "tasks")}
        if found is None:
            context.log("The run registered no model version", "warning")
            return {**result, "model": None, "version": None, "passed": None, "promoted": False}
        context.log(f"{found.model} {found.version}{self._told(params, found)}")
        return {
            **result,
            "model": found.model,
            "version": found.version,
            "metrics": dict(found.metrics),
            "passed": found.passed,
            "promoted": found.is_default,
        }

    def _told(self, params: Run, version: ModelVersion) -> str:
        """What a line says of a version: whether it serves, and its primary metric."""
        scope = self._scope(params)
        model = scope.declared.models.get(version.model.removeprefix(scope.prefix))
        names = (
            [model.metric.name, *([model.gates.baseline.metric] if model.gates.baseline else [])]
            if model
            else []
        )
        measured = ", ".join(
            f"{name} {version.metrics[name]:.4f}" for name in names if name in version.metrics
        )
        return (" is the default version" if version.is_default else "") + (
            f": {measured}" if measured else ""
        )

    def predicted(self, context: StepContext, params: Inference) -> dict[str, Any]:
        """The days that the run forecast: what the last task to speak of it returned as ``days``, ``predictions``,
        ``version`` and ``alerts``.
        """
        run = context.result_of("follow")
        made: dict[str, Any] = {}
        for returned in run["returned"].values():
            if isinstance(returned, dict):
                made.update({name: returned[name] for name in _SAID if name in returned})
        days = made.get("days", [])
        more = made.get("days_count", len(days)) - len(days)
        told = ", ".join(days) + (f" and {more} more days" if more else "")
        context.log(f"{made.get('predictions', 0)} predictions for {told or 'no day'}")
        return {
            **{name: run[name] for name in ("graph", "run_id", "tasks")},
            "version": made.get("version"),
            # All of them: of many, the task returns the first ones.
            "days": sorted({day.isoformat() for day in params.days}) or days,
            "predictions": made.get("predictions", 0),
            "alerts": made.get("alerts", 0),
        }

    def settle(self, context: StepContext, params: Retry) -> dict[str, Any]:
        """The attempt that failed: what was settled outlives a crash of the next step."""
        run = self._training.require_retryable(params.spoke, params.environment, params.graph, params.run_id)
        return {"attempt": run.attempt}

    def run_again(self, context: StepContext, params: Retry) -> dict[str, Any]:
        """Retry the run, once: a further attempt that is there already is the one that this step began."""
        run = self._training.told(self._scope(params), params.graph, params.run_id)
        if run.attempt == context.result_of("settle")["attempt"]:
            self._follower.retry(context, self._scope(params), run)
        return {"graph": params.graph, "run_id": params.run_id}
