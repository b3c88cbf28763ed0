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
Values = Callable[[Setup, str], dict[str, Any]]


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
                    Step("hub", "Apply the hub", self.hub),
                    Step("seed", "Load the synthetic network", self.seed),
                    Step("shared", "Deploy the shared features", self.shared),
                    *self._beside("onboard", "Onboard {}", self._place, "spoke.onboard"),
                    *self._beside(
                        "features", "Deploy the feature views of {}", self._place, "features.deploy"
                    ),
                    *self._beside("graphs", "Deploy the task graphs of {}", self._place, "graphs.deploy"),
                    *self._beside("train", "Train a model version of {}", self._training, "training.run"),
                    *(
                        Step(
                            f"promote_{spoke}",
                            f"Make it the default version of {spoke}",
                            self._promote(spoke),
                        )
                        for spoke in SPOKES
                    ),
                    *(
                        Step(
                            f"backtest_{spoke}",
                            f"Predict the test days of {spoke}, not seen before",
                            self._backtest(spoke),
                        )
                        for spoke in SPOKES
                    ),
                    Step("morning", "The morning of the next day", self.morning),
                    *self._beside("predict", "Predict the day with {}", self._inference, "inference.run"),
                    Step("evening", "Its evening", self.evening),
                    *self._beside(
                        "evaluate", "Evaluate the prediction of {}", self._place, "predictions.evaluate"
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
                # Each part of it reads what it changed itself.
                touches=lambda params: (),
            ),
        )

    def _beside(self, name: str, title: str, values: Values, kind: str) -> list[Step[Setup]]:
        """A step for each spoke, each an operation; those of the others begin with that of the first."""

        def step_of(spoke: str) -> Function:
            def step(context: StepContext, params: Setup) -> Any:
                if spoke == params.spokes[0]:
                    for other in params.spokes[1:]:
                        context.start_child(kind, values(params, other), f"{name}_{other}")
                return context.run_child(kind, values(params, spoke))

            return step

        return [Step(f"{name}_{spoke}", title.format(spoke), step_of(spoke)) for spoke in SPOKES]

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

    def _training(self, params: Setup, spoke: str) -> dict[str, Any]:
        return self._graph(params, "training.run", spoke)

    def _inference(self, params: Setup, spoke: str) -> dict[str, Any]:
        return self._graph(params, "inference.run", spoke)

    def _graph(self, params: Setup, kind: str, spoke: str) -> dict[str, Any]:
        place = self._place(params, spoke)
        graphs = self._spokes.declared(spoke, place["environment"]).graphs
        graph = next(
            name for name, one in graphs.items() if (one.trains if kind == "training.run" else one.predicts)
        )
        return {**place, "graph": graph}

    def _place(self, params: Setup, spoke: str) -> dict[str, Any]:
        return {"spoke": spoke, "environment": self._environment(params)}

    def hub(self, context: StepContext, params: Setup) -> Any:
        """Bring the account to what the hub declares."""
        return context.run_child("hub.apply", {})

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
