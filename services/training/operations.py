"""``graphs.deploy``, ``training.run``, ``inference.run``, ``graph.retry``: all that runs a spoke's task graphs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from services.operations import OperationKind, Params, Step, StepContext
from services.snowflake.scope import INFERENCE_GRAPH, TRAINING_GRAPH
from services.training.following import follow, retry, start, stop


class Target(Params):
    """A spoke in an environment."""

    spoke: str
    environment: str


class Run(Target):
    """``wait``: for the end of a run that executes already, instead of being refused."""

    wait: bool = False


class Inference(Run):
    """``days``: forecast these again; by default the earliest pending one."""

    days: tuple[date, ...] = ()


class Retry(Target):
    """The graph and its run, which failed."""

    graph: str
    run_id: str


def _key(params: Target) -> str:
    return f"{params.spoke}/{params.environment}"


def check_deploy(params: Target, services: Any) -> None:
    """NotFound, Invalid; Conflict for a spoke that is not onboarded."""
    services.spokes.scope(params.spoke, params.environment).require()
    services.spokes.declared_config(params.spoke, params.environment)


def check_training(params: Run, services: Any) -> None:
    """Conflict while graph or features are not deployed, nothing is there to learn from, or a run executes."""
    services.training.require(params.spoke, params.environment, TRAINING_GRAPH)
    services.spokes.require_sources(services.spokes.scope(params.spoke, params.environment))
    services.features.require_consumed(params.spoke, params.environment)
    _check_free(params, services, TRAINING_GRAPH)


def _check_free(params: Run, services: Any, graph: str) -> None:
    if not params.wait:
        services.training.require_free(services.spokes.scope(params.spoke, params.environment), graph)


def check_inference(params: Inference, services: Any) -> None:
    """Conflict while graph or features are not deployed, without a model version or a pending day, or while a
    run executes.
    """
    services.training.require(params.spoke, params.environment, INFERENCE_GRAPH)
    services.features.require_consumed(params.spoke, params.environment)
    services.registry.require_version(params.spoke, params.environment)
    services.predictions.require_pending(params.spoke, params.environment, params.days)
    _check_free(params, services, INFERENCE_GRAPH)


def check_retry(params: Retry, services: Any) -> None:
    """NotFound for the run; Conflict unless it failed and its graph is as it was and free."""
    services.training.require_retryable(params.spoke, params.environment, params.graph, params.run_id)
    scope = services.spokes.scope(params.spoke, params.environment)
    services.training.require_free(scope, params.graph)


def deploy(context: StepContext, params: Target) -> Any:
    """Stage the bundle, make the procedures and the tasks; graphs that are unchanged are kept."""
    spokes = context.services.spokes
    return spokes.deploy(context, spokes.deployment_target(params.spoke, params.environment), "graphs")


def begin(graph: str) -> Callable[[StepContext, Any], Any]:
    """The step that starts a run."""

    def step(context: StepContext, params: Run) -> Any:
        config = None
        if isinstance(params, Inference) and params.days:
            config = {"days": [day.isoformat() for day in params.days]}
        scope = context.services.spokes.scope(params.spoke, params.environment)
        return start(context, scope, graph, config, params.wait)

    return step


def stop_run(graph: str) -> Callable[[StepContext, Any], None]:
    """What ends the run when the operation is cancelled."""

    def cancel(context: StepContext, params: Target) -> None:
        stop(context, context.services.spokes.scope(params.spoke, params.environment), graph)

    return cancel


def stop_retried(context: StepContext, params: Retry) -> None:
    """End the run that was retried."""
    scope = context.services.spokes.scope(params.spoke, params.environment)
    stop(context, scope, params.graph, params.run_id)


def end(context: StepContext, params: Target) -> Any:
    """Follow the run that the first step started."""
    run = context.result_of("start")
    scope = context.services.spokes.scope(params.spoke, params.environment)
    return follow(context, scope, run["graph"], run["run_id"])


def trained(context: StepContext, params: Target) -> dict[str, Any]:
    """The model version that the run registered, and whether it became the default one."""
    run = context.result_of("follow")
    request = context.operation_id
    found = None
    for model in context.services.registry.models(params.spoke, params.environment):
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


def predicted(context: StepContext, params: Inference) -> dict[str, Any]:
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


def settle(context: StepContext, params: Retry) -> dict[str, Any]:
    """The attempt that failed: what was settled outlives a crash of the next step."""
    run = context.services.training.require_retryable(
        params.spoke, params.environment, params.graph, params.run_id
    )
    return {"attempt": run.attempt}


def run_again(context: StepContext, params: Retry) -> dict[str, Any]:
    """Retry the run, once: a further attempt that is there already is the one that this step began."""
    services = context.services
    run = services.training.run(params.spoke, params.environment, params.graph, params.run_id)
    if run.attempt == context.result_of("settle")["attempt"]:
        retry(context, services.spokes.scope(params.spoke, params.environment), run)
    return {"graph": params.graph, "run_id": params.run_id}


def _following(cancel: Callable[[StepContext, Any], None]) -> Step[Any]:
    return Step("follow", "Follow its tasks", end, cancel)


KINDS: tuple[OperationKind[Any], ...] = (
    OperationKind(
        "graphs.deploy",
        "Deploy task graphs",
        Target,
        [Step("deploy", "Stage the bundle and deploy the graphs", deploy)],
        queue_key=_key,
        validate=check_deploy,
        describe=lambda params: f"Deploy the task graphs of {params.spoke} to {params.environment}",
    ),
    OperationKind(
        "training.run",
        "Train a model version",
        Run,
        [
            Step("start", "Start the run", begin(TRAINING_GRAPH), stop_run(TRAINING_GRAPH)),
            _following(stop_run(TRAINING_GRAPH)),
            Step("version", "Look at the version", trained),
        ],
        queue_key=_key,
        validate=check_training,
        describe=lambda params: f"Train {params.spoke} in {params.environment}",
    ),
    OperationKind(
        "inference.run",
        "Predict",
        Inference,
        [
            Step("start", "Start the run", begin(INFERENCE_GRAPH), stop_run(INFERENCE_GRAPH)),
            _following(stop_run(INFERENCE_GRAPH)),
            Step("predictions", "Count the forecasts", predicted),
        ],
        queue_key=_key,
        validate=check_inference,
        describe=lambda params: f"Predict with {params.spoke} in {params.environment}",
    ),
    OperationKind(
        "graph.retry",
        "Retry a run",
        Retry,
        [
            Step("settle", "Settle which attempt failed", settle),
            Step("start", "Run again what failed", run_again, stop_retried),
            _following(stop_retried),
        ],
        queue_key=_key,
        validate=check_retry,
        describe=lambda params: f"Retry {params.graph} of {params.spoke} in {params.environment}",
    ),
)
