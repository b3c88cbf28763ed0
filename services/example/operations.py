"""``example.setup``: from an empty account to an evaluated forecast, each step an operation of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from services.operations import OperationKind, Params, Step, StepContext


class Setup(Params):
    """The example spoke, where it is set up (by default the first environment), and over which network."""

    spoke: str
    environment: str | None = None
    network: dict[str, int | float] = {}


def _environment(context: StepContext, params: Setup) -> str:
    return params.environment or str(context.services.hub.environments()[0].name)


def child(kind: str, *, scoped: bool = True) -> Callable[[StepContext, Setup], Any]:
    """The step that runs one operation to its end."""

    def step(context: StepContext, params: Setup) -> Any:
        values = {"spoke": params.spoke, "environment": _environment(context, params)} if scoped else {}
        return context.run_child(kind, values)

    return step


def seed(context: StepContext, params: Setup) -> Any:
    """Load the synthetic network, of the default size unless another is asked for."""
    return context.run_child("data.seed", {"network": params.network} if params.network else {})


def promote(context: StepContext, params: Setup) -> Any:
    """Make the trained version the default one, unless the graph has done so."""
    trained = context.result_of("train")
    if trained["promoted"]:
        context.log(f"The graph made {trained['version']} the default version")
        return {"model": trained["model"], "version": trained["version"], "by": trained["graph"]}
    if trained["version"] is None:
        context.log("There is no version to promote", "warning")
        return None
    environment = _environment(context, params)
    registry = context.services.registry
    version = registry.version(params.spoke, environment, trained["model"], trained["version"])
    if version.is_default:
        # The first version of a model is its default without anybody's doing.
        context.log(
            f"{version.version} did not pass the gates; being the first, it is the default all the same"
        )
        return {"model": version.model, "version": version.version, "by": None}
    context.log(f"{version.version} did not pass the gates; the example goes on with it", "warning")
    values = {"model": version.model, "version": version.version}
    return context.run_child("model.promote", {"spoke": params.spoke, "environment": environment, **values})


def backtest(context: StepContext, params: Setup) -> Any:
    """Forecast the newest days of the seed that training left aside, so that there is a course to look at."""
    environment = _environment(context, params)
    declared = context.services.spokes.declared_config(params.spoke, environment)
    length = min((dataset["test_days"] for dataset in declared["datasets"].values()), default=0)
    if not length:
        context.log("No days were left aside for a test")
        return None
    last = date.fromisoformat(context.result_of("seed")["last_day"])
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(length))]
    return context.run_child(
        "inference.run", {"spoke": params.spoke, "environment": environment, "days": days}
    )


def morning(context: StepContext, params: Setup) -> Any:
    """The day after the seed, whatever was simulated before."""
    last = date.fromisoformat(context.result_of("seed")["last_day"])
    return context.run_child("data.morning", {"day": (last + timedelta(days=1)).isoformat()})


def evening(context: StepContext, params: Setup) -> Any:
    """The evening of that morning."""
    return context.run_child("data.evening", {"day": context.result_of("morning")["day"]})


KINDS = (
    OperationKind(
        "example.setup",
        "Set up the example",
        Setup,
        [
            Step("hub", "Apply the hub", child("hub.apply", scoped=False)),
            Step("seed", "Load the synthetic network", seed),
            Step("onboard", "Onboard the spoke", child("spoke.onboard")),
            Step("features", "Deploy its feature views", child("features.deploy")),
            Step("graphs", "Deploy its task graphs", child("graphs.deploy")),
            Step("train", "Train a model version", child("training.run")),
            Step("promote", "Make it the default version", promote),
            Step("backtest", "Predict the test days, which it has not seen", backtest),
            Step("morning", "The morning of the next day", morning),
            Step("predict", "Predict the day", child("inference.run")),
            Step("evening", "Its evening", evening),
            Step("evaluate", "Evaluate the prediction", child("predictions.evaluate")),
        ],
        queue_key=lambda params: "example",
        target=lambda params: (params.spoke, params.environment),
        describe=lambda params: f"Set up the example {params.spoke}",
    ),
)
