"""``example.setup``: from an empty account to an evaluated forecast, each step an operation of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from services.core.errors import Invalid
from services.example.types import SPOKES
from services.hub.service import Hub
from services.operations import OperationKind, Params, Step, StepContext
from services.spokes.service import Spokes


class Setup(Params):
    """The example's spokes, where they are set up (by default the first environment), and over which network."""

    spokes: tuple[str, ...]
    environment: str | None = None
    network: dict[str, int | float] = {}


Function = Callable[[StepContext, Setup], Any]


class ExampleOperations:
    """The kinds of operation of this domain. The steps of a spoke end with its name."""

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
                    Step("hub", "Apply the hub", self._child("hub.apply")),
                    Step("seed", "Load the synthetic network", self.seed),
                    Step("shared", "Deploy the shared features", self.shared),
                    *(step for spoke in SPOKES for step in self._made(spoke)),
                    Step("morning", "The morning of the next day", self.morning),
                    *(
                        Step(
                            f"predict_{spoke}",
                            f"Predict the day with {spoke}",
                            self._run("inference.run", spoke),
                        )
                        for spoke in SPOKES
                    ),
                    Step("evening", "Its evening", self.evening),
                    *(
                        Step(
                            f"evaluate_{spoke}",
                            f"Evaluate the prediction of {spoke}",
                            self._child("predictions.evaluate", spoke),
                        )
                        for spoke in SPOKES
                    ),
                ],
                queue_key=lambda params: "example",
                validate=self.check,
                target=lambda params: (
                    params.spokes[0] if len(params.spokes) == 1 else None,
                    params.environment,
                ),
                describe=lambda params: f"Set up the example: {', '.join(params.spokes)}",
                select=self._selected,
            ),
        )

    def _made(self, spoke: str) -> list[Step[Setup]]:
        """From onboarding to forecasts of days that the model has not seen."""
        return [
            Step(f"onboard_{spoke}", f"Onboard {spoke}", self._child("spoke.onboard", spoke)),
            Step(
                f"features_{spoke}",
                f"Deploy the feature views of {spoke}",
                self._child("features.deploy", spoke),
            ),
            Step(
                f"graphs_{spoke}", f"Deploy the task graphs of {spoke}", self._child("graphs.deploy", spoke)
            ),
            Step(f"train_{spoke}", f"Train a model version of {spoke}", self._run("training.run", spoke)),
            Step(f"promote_{spoke}", f"Make it the default version of {spoke}", self._promote(spoke)),
            Step(
                f"backtest_{spoke}",
                f"Predict the test days of {spoke}, not seen before",
                self._backtest(spoke),
            ),
        ]

    def _selected(self, params: Setup) -> set[str]:
        left_out = tuple(f"_{spoke}" for spoke in SPOKES if spoke not in params.spokes)
        (kind,) = self.kinds()
        return {step.name for step in kind.steps if not step.name.endswith(left_out)}

    def check(self, params: Setup) -> None:
        """Invalid 422 for a spoke that is none of the example's."""
        unknown = sorted(set(params.spokes) - set(SPOKES))
        if unknown or not params.spokes:
            raise Invalid(
                f"The example has no spoke {', '.join(map(repr, unknown)) or 'to set up'}",
                hint=f"Use some of {', '.join(SPOKES)}.",
            )

    def _environment(self, params: Setup) -> str:
        return params.environment or str(self._hub.environments()[0].name)

    def _child(self, kind: str, spoke: str | None = None) -> Function:
        """The step that runs one operation to its end."""

        def step(context: StepContext, params: Setup) -> Any:
            return context.run_child(kind, self._place(params, spoke) if spoke else {})

        return step

    def _run(self, kind: str, spoke: str) -> Function:
        """The step that runs the graph which is for it."""

        def step(context: StepContext, params: Setup) -> Any:
            return context.run_child(kind, self._graph(params, kind, spoke))

        return step

    def _graph(self, params: Setup, kind: str, spoke: str) -> dict[str, Any]:
        place = self._place(params, spoke)
        graphs = self._spokes.declared(spoke, place["environment"]).graphs
        graph = next(
            name for name, one in graphs.items() if (one.trains if kind == "training.run" else one.predicts)
        )
        return {**place, "graph": graph}

    def _place(self, params: Setup, spoke: str) -> dict[str, Any]:
        return {"spoke": spoke, "environment": self._environment(params)}

    def seed(self, context: StepContext, params: Setup) -> Any:
        """Load the synthetic network, of the default size unless another is asked for."""
        return context.run_child("data.seed", {"network": params.network} if params.network else {})

    def shared(self, context: StepContext, params: Setup) -> Any:
        """Register the hub's own feature views."""
        return context.run_child("hub.features", {"environment": self._environment(params)})

    def _promote(self, spoke: str) -> Function:
        """The step that makes the trained version the default one, unless the graph has done so."""

        def step(context: StepContext, params: Setup) -> Any:
            trained = context.result_of(f"train_{spoke}")
            if trained["promoted"]:
                # The first version of a model is its default without anybody's doing.
                passed = "passed its gates" if trained["passed"] else "did not pass its gates"
                context.log(f"{trained['version']} {passed}, and is the default version")
                return {"model": trained["model"], "version": trained["version"], "by": trained["graph"]}
            if trained["version"] is None:
                context.log("There is no version to promote", "warning")
                return None
            context.log(
                f"{trained['version']} did not pass the gates; the example goes on with it", "warning"
            )
            values = {"model": trained["model"], "version": trained["version"]}
            return context.run_child("model.promote", {**self._place(params, spoke), **values})

        return step

    def _backtest(self, spoke: str) -> Function:
        """The step that forecasts the newest days of the seed, which training left aside: a course to look at."""

        def step(context: StepContext, params: Setup) -> Any:
            declared = self._spokes.declared(spoke, self._environment(params))
            length = min((dataset.test_days for dataset in declared.datasets.values()), default=0)
            if not length:
                context.log("No days were left aside for a test")
                return None
            last = date.fromisoformat(context.result_of("seed")["last_day"])
            days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(length))]
            return context.run_child(
                "inference.run", {**self._graph(params, "inference.run", spoke), "days": days}
            )

        return step

    def morning(self, context: StepContext, params: Setup) -> Any:
        """The day after the seed, whatever was simulated before."""
        last = date.fromisoformat(context.result_of("seed")["last_day"])
        return context.run_child("data.morning", {"day": (last + timedelta(days=1)).isoformat()})

    def evening(self, context: StepContext, params: Setup) -> Any:
        """The evening of that morning."""
        return context.run_child("data.evening", {"day": context.result_of("morning")["day"]})
