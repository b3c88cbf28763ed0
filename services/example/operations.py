"""``example.setup``: from an empty account to an evaluated forecast, each step an operation of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from services.hub.service import Hub
from services.operations import OperationKind, Params, Step, StepContext
from services.spokes.service import Spokes


class Setup(Params):
    """The example spoke, where it is set up (by default the first environment), and over which network."""

    spoke: str
    environment: str | None = None
    network: dict[str, int | float] = {}


class ExampleOperations:
    """The kinds of operation of this domain."""

    def __init__(self, hub: Hub, spokes: Spokes) -> None:
        self._hub = hub
        self._spokes = spokes

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``example.setup``."""
        return (
            OperationKind(
                "example.setup",
                "Set up the example",
                Setup,
                [
                    Step("hub", "Apply the hub", self._child("hub.apply", scoped=False)),
                    Step("seed", "Load the synthetic network", self.seed),
                    Step("onboard", "Onboard the spoke", self._child("spoke.onboard")),
                    Step("features", "Deploy its feature views", self._child("features.deploy")),
                    Step("graphs", "Deploy its task graphs", self._child("graphs.deploy")),
                    Step("train", "Train a model version", self._run("training.run")),
                    Step("promote", "Make it the default version", self.promote),
                    Step("backtest", "Predict the test days, which it has not seen", self.backtest),
                    Step("morning", "The morning of the next day", self.morning),
                    Step("predict", "Predict the day", self._run("inference.run")),
                    Step("evening", "Its evening", self.evening),
                    Step("evaluate", "Evaluate the prediction", self._child("predictions.evaluate")),
                ],
                queue_key=lambda params: "example",
                target=lambda params: (params.spoke, params.environment),
                describe=lambda params: f"Set up the example {params.spoke}",
            ),
        )

    def _environment(self, params: Setup) -> str:
        return params.environment or str(self._hub.environments()[0].name)

    def _child(self, kind: str, *, scoped: bool = True) -> Callable[[StepContext, Setup], Any]:
        """The step that runs one operation to its end."""

        def step(context: StepContext, params: Setup) -> Any:
            values = {"spoke": params.spoke, "environment": self._environment(params)} if scoped else {}
            return context.run_child(kind, values)

        return step

    def _run(self, kind: str) -> Callable[[StepContext, Setup], Any]:
        """The step that runs the graph which is for it."""

        def step(context: StepContext, params: Setup) -> Any:
            return context.run_child(kind, self._graph(params, kind))

        return step

    def _graph(self, params: Setup, kind: str) -> dict[str, Any]:
        environment = self._environment(params)
        graphs = self._spokes.declared(params.spoke, environment).graphs
        graph = next(
            name for name, one in graphs.items() if (one.trains if kind == "training.run" else one.predicts)
        )
        return {"spoke": params.spoke, "environment": environment, "graph": graph}

    def seed(self, context: StepContext, params: Setup) -> Any:
        """Load the synthetic network, of the default size unless another is asked for."""
        return context.run_child("data.seed", {"network": params.network} if params.network else {})

    def promote(self, context: StepContext, params: Setup) -> Any:
        """Make the trained version the default one, unless the graph has done so."""
        trained = context.result_of("train")
        if trained["promoted"]:
            # The first version of a model is its default without anybody's doing.
            passed = "passed its gates" if trained["passed"] else "did not pass its gates"
            context.log(f"{trained['version']} {passed}, and is the default version")
            return {"model": trained["model"], "version": trained["version"], "by": trained["graph"]}
        if trained["version"] is None:
            context.log("There is no version to promote", "warning")
            return None
        environment = self._environment(params)
        context.log(f"{trained['version']} did not pass the gates; the example goes on with it", "warning")
        values = {"model": trained["model"], "version": trained["version"]}
        return context.run_child(
            "model.promote", {"spoke": params.spoke, "environment": environment, **values}
        )

    def backtest(self, context: StepContext, params: Setup) -> Any:
        """Forecast the newest days of the seed that training left aside, so that there is a course to look at."""
        environment = self._environment(params)
        declared = self._spokes.declared(params.spoke, environment)
        length = min((dataset.test_days for dataset in declared.datasets.values()), default=0)
        if not length:
            context.log("No days were left aside for a test")
            return None
        last = date.fromisoformat(context.result_of("seed")["last_day"])
        days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(length))]
        return context.run_child("inference.run", {**self._graph(params, "inference.run"), "days": days})

    def morning(self, context: StepContext, params: Setup) -> Any:
        """The day after the seed, whatever was simulated before."""
        last = date.fromisoformat(context.result_of("seed")["last_day"])
        return context.run_child("data.morning", {"day": (last + timedelta(days=1)).isoformat()})

    def evening(self, context: StepContext, params: Setup) -> Any:
        """The evening of that morning."""
        return context.run_child("data.evening", {"day": context.result_of("morning")["day"]})
