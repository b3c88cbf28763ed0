"""Services with plausible rows and no account behind them: what the pages are tested and looked at with."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.core.errors import Conflict, Invalid, NotFound
from services.example.types import ExampleState
from services.features.types import FeatureColumn, FeatureView
from services.hub.types import Account, Environment, HubObject, HubPlan
from services.operations.types import (
    ExecutedSql,
    LogLine,
    OperationError,
    OperationFilter,
    OperationState,
    OperationView,
    Page,
    StepState,
    StepView,
)
from services.predictions.types import (
    Alert,
    DayValue,
    Evaluation,
    Evaluations,
    Point,
    PointHistory,
    PredictionDay,
    PredictionRow,
    RegisteredMetrics,
    ScoredPrediction,
)
from services.registry.types import Model, ModelVersion
from services.simulation.types import NextStep, SimulationDay, SimulationStatus
from services.spokes.types import RunMark, Spoke, SpokeEnvironment, SpokeGlance
from services.training.types import Graph, GraphRun, Task, TaskRun

TODAY = date(2025, 7, 1)
STREETS = (
    "Torstraße",
    "Kantstraße",
    "Sonnenallee",
    "Müllerstraße",
    "Schlossstraße",
    "Karl-Marx-Allee",
    "Hauptstraße",
)
KINDS = (("shop", 0.6, 25, 70), ("locker", 0.3, 15, 35), ("post_office", 0.1, 35, 120))
RUN_ID = "01c4e2a7-0001-2f5a-0000-4d5500a2b3c6"


def _now() -> datetime:
    return datetime.now(UTC)


def _points() -> tuple[Point, ...]:
    rng = random.Random(42)
    points = []
    for index in range(100):
        kind, _, low, high = rng.choices(KINDS, [item[1] for item in KINDS])[0]
        points.append(
            Point(
                f"PUDO_{index:04d}",
                f"{kind.replace('_', ' ').title()} {rng.choice(STREETS)} {rng.randint(1, 180)}",
                kind,
                52.52 + rng.gauss(0, 0.13),
                13.405 + rng.gauss(0, 0.2),
                rng.randint(low, high),
            )
        )
    return tuple(points)


POINTS = _points()


def _rate(point: Point, day: date) -> tuple[float, float]:
    """Forecast and actual of a point on a day."""
    rng = random.Random(f"{point.pudo_id}{day}")
    base = 0.35 + 0.35 * random.Random(point.pudo_id).random()
    week = (0.08, 0.05, 0.02, 0.0, 0.1, -0.18, -0.3)[day.weekday()]
    season = 0.05 * math.sin(day.toordinal() / 9)
    signal = max(0.02, base + week + season + rng.gauss(0, 0.06))
    return round(signal, 4), round(max(0.0, signal + rng.gauss(0, 0.07)), 4)


def _days(count: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in range(count)]


class Hub:
    """A hub with one of each state."""

    def account(self) -> Account:
        return Account(
            "embedded account", "embedded", "embedded", "127.0.0.1:50412", "ACCOUNTADMIN", "SPOKEHUB_WH"
        )

    def environments(self) -> tuple[Environment, ...]:
        return (Environment("DEV"), Environment("STAGING"), Environment("PROD", protected=True))

    def plan(self) -> HubPlan:
        objects = [
            HubObject("DATABASE", "SPOKEHUB", "present"),
            HubObject(
                "WAREHOUSE",
                "SPOKEHUB_WH",
                "changed",
                "XSMALL, auto-suspend 30 s",
                "XSMALL, auto-suspend 600 s",
                sql="ALTER WAREHOUSE SPOKEHUB_WH SET AUTO_SUSPEND = 30;",
            ),
            HubObject("SCHEMA", "SPOKEHUB.SHARED_DATA", "present"),
            *(
                HubObject(
                    "SCHEMA",
                    f"SPOKEHUB.{kind}_{env}",
                    "missing" if env == "PROD" else "present",
                    sql=f"CREATE SCHEMA IF NOT EXISTS SPOKEHUB.{kind}_{env};" if env == "PROD" else "",
                )
                for env in ("DEV", "STAGING", "PROD")
                for kind in ("FEATURE_STORE", "MODEL_REGISTRY", "PUDO")
            ),
            HubObject("SCHEMA", "SPOKEHUB.SCRATCH", "foreign", comment="Nobody declared it."),
        ]
        return HubPlan(self.account(), "SPOKEHUB", tuple(objects), _now())

    def start_apply(self, actor: str) -> str:
        return "op-apply"


class Spokes:
    """One spoke in two environments."""

    def all(self) -> tuple[Spoke, ...]:
        at = _now() - timedelta(minutes=12)
        return (
            Spoke(
                "pudo",
                "PUDO capacity",
                "Last-mile analytics",
                "How full each parcel point will be today.",
                (
                    SpokeEnvironment("DEV", "PUDO_DEV", at, "9f2c41d7a0be5531", at),
                    SpokeEnvironment("STAGING", "PUDO_STAGING", at),
                ),
            ),
        )

    def get(self, spoke: str) -> Spoke:
        for item in self.all():
            if item.name == spoke:
                return item
        raise NotFound(f"There is no spoke {spoke}.", hint="GET /api/v1/spokes lists them.")

    def glance(self, spoke: str | None = None) -> tuple[SpokeGlance, ...]:
        rng = random.Random(3)
        marks = tuple(
            RunMark(
                "TRAINING_DAG" if index % 3 == 0 else "INFERENCE_DAG",
                RUN_ID,
                1,
                "FAILED" if index == 11 else "EXECUTING" if index == 29 else "SUCCEEDED",
                _now() - timedelta(hours=12 * (30 - index)),
                None if index == 29 else 18 + rng.random() * 20,
            )
            for index in range(30)
        )
        dev = SpokeGlance(
            "pudo",
            "PUDO capacity",
            "Last-mile analytics",
            "DEV",
            marks,
            _now() + timedelta(hours=5),
            "PUDO__CAPACITY_MODEL",
            "V20250701_0602",
            0.0712,
            0.1034,
            0.0688,
            TODAY,
            3,
            _now() - timedelta(minutes=4),
            240.0,
            3600.0,
            7,
            0,
        )
        return (dev, SpokeGlance("pudo", "PUDO capacity", "Last-mile analytics", "STAGING"))

    def start_onboard(self, spoke: str, environment: str, actor: str) -> str:
        return "op-onboard"


class Features:
    """Three views, one a dynamic table."""

    def views(self, spoke: str, environment: str) -> tuple[FeatureView, ...]:
        if environment != "DEV":
            return ()
        keys = (
            FeatureColumn("PUDO_ID", "VARCHAR", "The point", "key"),
            FeatureColumn("UPDATED_AT", "TIMESTAMP_NTZ(9)", "From when the row is known", "timestamp"),
        )
        made = {
            "HISTORICAL": (
                "FILL_RATE_MEAN_7D",
                "FILL_RATE_MEAN_30D",
                "FILL_RATE_STD_7D",
                "FILL_RATE_CHANGE_1D",
                "WAS_HIGH",
            ),
            "GEOSPATIAL": (
                "COMPETITORS_1KM",
                "COMPETITOR_CAPACITY_1KM",
                "PARCELS_1KM",
                "DEMAND_CAPACITY_RATIO",
            ),
            "TEMPORAL": ("DAY_OF_WEEK", "MONTH", "IS_WEEKEND", "MEAN_FILL_RATE_BY_WEEKDAY"),
        }
        views = []
        for name, columns in made.items():
            dynamic = name == "GEOSPATIAL"
            views.append(
                FeatureView(
                    f"PUDO__{name}_FEATURES",
                    "V1",
                    "DYNAMIC TABLE" if dynamic else "VIEW",
                    ("PUDO",),
                    keys
                    + tuple(
                        FeatureColumn(column, "FLOAT", f"{column.replace('_', ' ').lower()} of the point")
                        for column in columns
                    ),
                    f"{name.capitalize()} features of a point as known in the morning.",
                    "PUDO_DEV_OWNER",
                    "1 hour" if dynamic else None,
                    "FULL" if dynamic else None,
                    "ACTIVE" if dynamic else None,
                    36500,
                    _now() - timedelta(hours=2),
                    _now() - timedelta(minutes=4),
                    "SUCCEEDED" if dynamic else None,
                    240.0 if dynamic else None,
                    3600.0 if dynamic else None,
                    True,
                    f"SELECT PUDO_ID, UPDATED_AT,\n       {columns[0]}\nFROM SPOKEHUB.SHARED_DATA.PUDO_OCCUPANCY\nWHERE 1 < 2",
                )
            )
        return tuple(views)

    def start_deploy(self, spoke: str, environment: str, actor: str) -> str:
        return "op-deploy"


TASKS = (
    Task(
        "PREPARE_DATA",
        "root",
        state="started",
        schedule="USING CRON 0 6 * * * UTC",
        comment="Spine, features, splits",
        definition="CALL PREPARE_DATA()",
    ),
    Task("TRAIN_MODEL", "task", ("PREPARE_DATA",), definition="CALL TRAIN_MODEL()"),
    Task(
        "CHECK_MODEL_QUALITY",
        "task",
        ("TRAIN_MODEL",),
        is_branch=True,
        definition="CALL CHECK_MODEL_QUALITY()",
    ),
    Task(
        "PROMOTE_MODEL",
        "task",
        ("CHECK_MODEL_QUALITY",),
        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE() = 'PROMOTE_MODEL'",
    ),
    Task(
        "SEND_ALERT", "task", ("CHECK_MODEL_QUALITY",), "SYSTEM$GET_PREDECESSOR_RETURN_VALUE() = 'SEND_ALERT'"
    ),
    Task("CLEANUP", "finalizer"),
)


def training_run(state: str = "SUCCEEDED") -> GraphRun:
    """A run that succeeded, failed while training, or is still training."""
    start = _now() - timedelta(minutes=9)
    at = 0.0
    tasks = []
    for task, wait, work in zip(
        TASKS, (0.4, 0.9, 0.5, 0.6, 0.6, 0.7), (6.2, 11.8, 1.9, 2.4, 0.0, 1.1), strict=True
    ):
        due = start + timedelta(seconds=at)
        begin = due + timedelta(seconds=wait)
        end = begin + timedelta(seconds=work)
        run = TaskRun(
            task.name,
            "SUCCEEDED",
            1,
            due,
            begin,
            end,
            None,
            None,
            None,
            f"01c4e2a7-0{len(tasks)}01",
            "CALL SPOKEHUB.PUDO_DEV.TASK()",
        )
        if task.name == "SEND_ALERT":
            run = replace(run, state="SKIPPED", started_at=None, query_id=None)
        elif task.name == "TRAIN_MODEL":
            run = replace(
                run, return_value='{"version": "V20250701_0602", "mae": 0.0712, "naive_mae": 0.1034}'
            )
        elif task.name == "CHECK_MODEL_QUALITY":
            run = replace(run, return_value="PROMOTE_MODEL")
        if state == "FAILED" and task.name == "TRAIN_MODEL":
            run = replace(
                run,
                state="FAILED",
                return_value=None,
                error_code="100357",
                error_message="Python Interpreter Error:\nTraceback (most recent call last):\n"
                '  File "train.py", line 41\nValueError: The training split is empty.',
            )
        elif state == "EXECUTING" and task.name == "TRAIN_MODEL":
            begin = _now() - timedelta(seconds=8)
            run = replace(
                run,
                state="EXECUTING",
                scheduled_at=begin,
                started_at=begin,
                completed_at=None,
                return_value=None,
            )
        elif state in ("FAILED", "EXECUTING") and len(tasks) > 1:
            if task.name != "CLEANUP" or state == "EXECUTING":
                continue
        tasks.append(run)
        if task.name not in ("PROMOTE_MODEL",):
            at += wait + work
    ended = state != "EXECUTING"
    return GraphRun(
        "TRAINING_DAG",
        RUN_ID,
        1,
        state,
        start,
        start + timedelta(seconds=0.4),
        start + timedelta(seconds=at) if ended else None,
        "EXECUTE TASK",
        {"request_id": "op-setup/training", "environment": "DEV", "spoke": "pudo"},
        "TRAIN_MODEL" if state == "FAILED" else None,
        "100357" if state == "FAILED" else None,
        "ValueError: The training split is empty." if state == "FAILED" else None,
        tuple(tasks),
    )


@dataclass
class Training:
    """Two graphs; the state of the newest run can be chosen."""

    state: str = "SUCCEEDED"

    def graphs(self, spoke: str, environment: str, runs: int = 30) -> tuple[Graph, ...]:
        if environment != "DEV":
            return ()
        older = tuple(
            replace(
                training_run("FAILED" if back == 4 else "SUCCEEDED"),
                run_id=f"{RUN_ID}-{back}",
                scheduled_at=_now() - timedelta(days=back),
                started_at=_now() - timedelta(days=back),
                completed_at=_now() - timedelta(days=back) + timedelta(seconds=20 + back),
            )
            for back in range(1, 12)
        )
        inference = (
            Task("GET_PENDING_PREDICTIONS", "root", schedule="USING CRON 30 6 * * * UTC"),
            Task("LOAD_MODEL", "task", ("GET_PENDING_PREDICTIONS",)),
            Task("GENERATE_FEATURES", "task", ("GET_PENDING_PREDICTIONS",)),
            Task("MAKE_PREDICTIONS", "task", ("LOAD_MODEL", "GENERATE_FEATURES")),
            Task("SEND_HIGH_CAPACITY_ALERTS", "task", ("MAKE_PREDICTIONS",)),
        )
        return (
            Graph(
                "TRAINING_DAG",
                "PUDO_DEV",
                "started",
                TASKS,
                "USING CRON 0 6 * * 1 UTC",
                "Trains the capacity model",
                _now() + timedelta(days=2),
                (training_run(self.state), *older),
            ),
            Graph("INFERENCE_DAG", "PUDO_DEV", "suspended", inference, None, "Predicts the pending day"),
        )

    def graph(self, spoke: str, environment: str, graph: str, runs: int = 30) -> Graph:
        for item in self.graphs(spoke, environment):
            if item.name == graph:
                return item
        raise NotFound(f"{graph} is not deployed in {environment}.", hint="Deploy the spoke's graphs first.")

    def run(
        self, spoke: str, environment: str, graph: str, run_id: str, attempt: int | None = None
    ) -> GraphRun:
        for item in self.graph(spoke, environment, graph).runs:
            if item.run_id == run_id:
                return item
        raise NotFound(f"{graph} has no run {run_id}.")

    def start_deploy(self, spoke: str, environment: str, actor: str) -> str:
        return "op-deploy"

    def start(self, spoke: str, environment: str, actor: str) -> str:
        if environment != "DEV":
            raise Conflict(
                "TRAINING_DAG is not deployed in STAGING.", hint="Deploy the spoke's graphs first."
            )
        return "op-training"

    def retry(self, spoke: str, environment: str, graph: str, run_id: str, actor: str) -> str:
        return "op-training"


class Registry:
    """One model with six versions."""

    def models(self, spoke: str, environment: str) -> tuple[Model, ...]:
        if environment != "DEV":
            return ()
        versions = tuple(
            ModelVersion(
                "PUDO__CAPACITY_MODEL",
                f"V202507{6 - index:02d}_0602",
                _now() - timedelta(days=index),
                index == 0,
                ("CHAMPION",) if index == 0 else (),
                "Trained by TRAINING_DAG",
                {
                    "mae": 0.0712 + 0.002 * index,
                    "rmse": 0.0931 + 0.003 * index,
                    "naive_mae": 0.1034,
                    "test_rows": 1500,
                },
                {"same_weekday_last_week": 0.1091, "mean_7_days": 0.1034},
                (
                    "PUDO__HISTORICAL_FEATURES$V1",
                    "PUDO__GEOSPATIAL_FEATURES$V1",
                    "PUDO__TEMPORAL_FEATURES$V1",
                ),
                "PUDO__TRAINING$20250701_0601",
                ("PREDICT", "EXPLAIN"),
                RUN_ID,
                "TRAINING_DAG",
            )
            for index in range(6)
        )
        return (
            Model(
                "PUDO__CAPACITY_MODEL",
                "MODEL_REGISTRY_DEV",
                versions[0].version,
                versions,
                "Fill rate by point",
            ),
        )

    def version(self, spoke: str, environment: str, model: str, version: str) -> ModelVersion:
        for item in self.models(spoke, environment)[0].versions:
            if item.version == version:
                return item
        raise NotFound(f"{model} has no version {version}.")

    def start_promote(self, spoke: str, environment: str, model: str, version: str, actor: str) -> str:
        return "op-promote"


class Predictions:
    """Sixty days of forecasts for a hundred points; the last day has no actual yet."""

    def _row(self, point: Point, day: date) -> PredictionRow:
        predicted, actual = _rate(point, day)
        known = day < TODAY
        return PredictionRow(
            point.pudo_id,
            point.name,
            point.type,
            point.latitude,
            point.longitude,
            point.capacity,
            predicted,
            actual if known else None,
            predicted - actual if known else None,
            "V20250701_0602",
            datetime(day.year, day.month, day.day, 6, 3, tzinfo=UTC),
        )

    def day(self, spoke: str, environment: str, day: date | None = None) -> PredictionDay:
        if environment != "DEV":
            return PredictionDay(None, (), ())
        days = tuple(_days(60))
        day = day or days[0]
        if day not in days:
            raise NotFound(f"There are no predictions for {day}.", hint="Choose a predicted day.")
        rows = sorted((self._row(point, day) for point in POINTS), key=lambda row: -row.predicted_fill_rate)
        return PredictionDay(day, days, tuple(rows), "V20250701_0602", rows[0].predicted_at)

    def history(self, spoke: str, environment: str, pudo_id: str, days: int = 60) -> PointHistory:
        for point in POINTS:
            if point.pudo_id == pudo_id:
                values = ((item, *_rate(point, item)) for item in reversed(_days(days)))
                return PointHistory(
                    point, tuple(DayValue(d, p, a if d < TODAY else None) for d, p, a in values)
                )
        raise NotFound(f"There is no point {pudo_id}.")

    def scored(self, spoke: str, environment: str, days: int = 28) -> tuple[ScoredPrediction, ...]:
        if environment != "DEV":
            return ()
        return tuple(
            ScoredPrediction(
                day, point.pudo_id, point.type, *_rate(point, day), _rate(point, day - timedelta(days=7))[1]
            )
            for day in _days(days + 1)[1:]
            for point in POINTS
        )

    def evaluations(self, spoke: str, environment: str, limit: int = 60) -> Evaluations:
        if environment != "DEV":
            return Evaluations(())
        items = []
        for day in _days(limit + 1)[1:]:
            pairs = [_rate(point, day) for point in POINTS]
            errors = [p - a for p, a in pairs]
            naive = [
                _rate(point, day - timedelta(days=7))[1] - a
                for point, (_, a) in zip(POINTS, pairs, strict=True)
            ]
            items.append(
                Evaluation(
                    day,
                    len(errors),
                    sum(map(abs, errors)) / 100,
                    math.sqrt(sum(e * e for e in errors) / 100),
                    sum(errors) / 100,
                    sum(map(abs, naive)) / 100,
                    sum(p for p, _ in pairs) / 100,
                    sum(a for _, a in pairs) / 100,
                    0.75,
                    0.6,
                    "V20250701_0602",
                    _now(),
                )
            )
        return Evaluations(
            tuple(items), RegisteredMetrics("PUDO__CAPACITY_MODEL", "V20250701_0602", 0.0712, 0.0931, 0.1034)
        )

    def alerts(
        self, spoke: str, environment: str, day: date | None = None, limit: int = 200
    ) -> tuple[Alert, ...]:
        if environment != "DEV":
            return ()
        found = [
            Alert(
                d,
                row.pudo_id,
                row.name,
                row.type,
                row.capacity,
                row.predicted_fill_rate,
                "over" if row.predicted_fill_rate >= 1 else "high",
                row.actual_fill_rate,
                row.actual_fill_rate is None,
            )
            for d in _days(7)
            for row in self.day(spoke, environment, d).rows
            if row.predicted_fill_rate >= 0.8
        ]
        return tuple(found[:limit])

    def start(self, spoke: str, environment: str, actor: str) -> str:
        if environment != "DEV":
            raise Conflict(
                "No day is pending.", hint="Run the simulation's morning first.", code="no_pending_day"
            )
        return "op-predict"

    def start_evaluate(self, spoke: str, environment: str, actor: str) -> str:
        return "op-predict"


@dataclass
class Simulation:
    """Six weeks, the last day's morning done."""

    seeded: bool = True

    def status(self, days: int = 42) -> SimulationStatus:
        if not self.seeded:
            return SimulationStatus(False, (), NextStep("data.seed", "Seed the parcel network", None))
        at = _now()
        calendar = tuple(
            SimulationDay(
                day,
                day < TODAY - timedelta(days=5),
                at,
                1013,
                day >= TODAY - timedelta(days=5),
                at if day < TODAY else None,
                97 if day < TODAY else None,
                TODAY - timedelta(days=5) <= day < TODAY,
            )
            for day in reversed(_days(days))
        )
        return SimulationStatus(
            True,
            calendar,
            NextStep("data.evening", "Receive the evening", TODAY),
            date(2024, 7, 1),
            TODAY - timedelta(days=6),
            TODAY,
            TODAY - timedelta(days=1),
            "reset",
            {"PARCELS": 366014, "DELIVERY_ATTEMPTS": 592110, "PUDO_OCCUPANCY": 36500, "PUDO_REFERENCE": 100},
        )

    def start_next(self, actor: str) -> str:
        return "op-evening"

    def start_reset(self, confirm: str, actor: str) -> str:
        if confirm != "reset":
            raise Invalid("The word is not the one asked for.", hint="Type reset.", code="not_confirmed")
        return "op-reset"


@dataclass
class Example:
    """The example's set-up in any state."""

    state_name: str = "succeeded"

    def state(self) -> ExampleState:
        return ExampleState(
            True, "pudo", self.state_name, None if self.state_name == "absent" else "op-setup"
        )  # type: ignore[arg-type]

    def start(self, actor: str) -> str:
        return "op-setup"


SETUP = (
    ("hub", "Set up the hub", "hub.apply"),
    ("seed", "Seed the parcel network", "data.seed"),
    ("onboard", "Onboard the PUDO spoke", "spoke.onboard"),
    ("features", "Deploy its feature views", "features.deploy"),
    ("graphs", "Deploy its task graphs", "graphs.deploy"),
    ("training", "Train and register the model", "training.run"),
    ("promote", "Make it the default version", "model.promote"),
    ("morning", "Receive a morning's parcels", "data.morning"),
    ("inference", "Predict the day", "inference.run"),
    ("evening", "Receive the evening", "data.evening"),
    ("evaluate", "Compare forecast and actual", "predictions.evaluate"),
)


def operation(state: str, operation_id: str = "op-setup", done: int | None = None) -> OperationView:
    """A set-up operation in this state; `done` steps are finished."""
    done = len(SETUP) if state == "succeeded" else 5 if done is None else done
    start = _now() - timedelta(seconds=41)
    steps = []
    for index, (name, title, _) in enumerate(SETUP):
        step_state = StepState.SUCCEEDED if index < done else StepState.PENDING
        if index == done and state in ("running", "failed", "cancelled"):
            step_state = StepState(state)
        started = start + timedelta(seconds=4 * index) if step_state != StepState.PENDING else None
        failed = step_state == StepState.FAILED
        steps.append(
            StepView(
                name,
                title,
                step_state,
                0 if started is None else 1,
                0.4 if step_state == StepState.RUNNING else None,
                "TRAIN_MODEL is executing" if step_state == StepState.RUNNING else None,
                {"rows": 365000} if name == "seed" and step_state == StepState.SUCCEEDED else None,
                _error() if failed else None,
                started,
                started + timedelta(seconds=3.7) if started and step_state != StepState.RUNNING else None,
            )
        )
    final = state in ("succeeded", "failed", "cancelled")
    return OperationView(
        operation_id,
        "example.setup",
        "Set up the example",
        OperationState(state),
        "administrator",
        "pudo",
        "DEV",
        {"spoke": "pudo", "environment": "DEV"},
        {"version": "V20250701_0602"} if state == "succeeded" else None,
        _error() if state == "failed" else None,
        None,
        None,
        1,
        17,
        False,
        done / len(SETUP),
        tuple(steps),
        start,
        start,
        _now() if final else None,
    )


def _error() -> OperationError:
    return OperationError(
        "graph_failed",
        "The training run failed in TRAIN_MODEL: the training split is empty.",
        "Look at the run, mend the data, then resume.",
        {"run_id": RUN_ID},
    )


@dataclass
class Operations:
    """A set-up with children; its state can be chosen."""

    state: str = "succeeded"
    running_now: bool = False
    cancelled: list[str] = field(default_factory=list)

    def _all(self) -> tuple[OperationView, ...]:
        parent = operation(self.state)
        children = tuple(
            replace(
                parent,
                id=f"op-{name}",
                kind=kind,
                title=title,
                parent_id="op-setup",
                parent_step=name,
                state=OperationState(step.state.value),
                steps=(replace(step, title=title),),
                started_at=step.started_at,
                ended_at=step.ended_at,
                progress=1.0 if step.state == StepState.SUCCEEDED else 0.4,
                error=step.error,
            )
            for (name, title, kind), step in zip(SETUP, parent.steps, strict=True)
        )
        return (parent, *children)

    def get(self, operation_id: str) -> OperationView:
        for item in self._all():
            if item.id == operation_id:
                return item
        raise NotFound(f"There is no operation {operation_id}.", hint="GET /api/v1/operations lists them.")

    def list(self, where: OperationFilter, limit: int = 50, cursor: str | None = None) -> Page[OperationView]:
        found = [
            item
            for item in self._all()
            if where.kind in (None, item.kind)
            and where.state in (None, item.state)
            and (where.parent is None or item.parent_id == (None if where.parent == "none" else where.parent))
        ]
        return Page(tuple(found[:limit]))

    def log(self, operation_id: str, after: int = 0, limit: int = 1000) -> Page[LogLine]:
        start = _now() - timedelta(seconds=40)
        lines = [
            LogLine(
                index + 1,
                start + timedelta(seconds=index * 3),
                step.name,
                1,
                "error" if step.state == StepState.FAILED else "info",
                f"{step.title}: {step.state.value}",
            )
            for index, step in enumerate(operation(self.state).steps)
            if step.started_at
        ]
        return Page(tuple(lines[after:]))

    def sql(self, operation_id: str, after: int = 0, limit: int = 1000) -> Page[ExecutedSql]:
        texts = (
            "CREATE DATABASE IF NOT EXISTS SPOKEHUB",
            "CREATE SCHEMA IF NOT EXISTS SPOKEHUB.SHARED_DATA",
            "COPY INTO SPOKEHUB.SHARED_DATA.PARCELS\nFROM @SEED_STAGE/parcels\nFILE_FORMAT = (TYPE = PARQUET)",
        )
        return Page(
            tuple(
                ExecutedSql(
                    index + 1, _now(), "seed", 1, text, f"01c4e2a7-0{index}", 0.08 * (index + 1), 1, None
                )
                for index, text in enumerate(texts)
            )
        )

    def cancel(self, operation_id: str, actor: str) -> OperationView:
        self.cancelled.append(operation_id)
        return self.get(operation_id)

    def resume(self, operation_id: str, actor: str) -> OperationView:
        if self.get(operation_id).state != OperationState.FAILED:
            raise Conflict("Only what failed can be resumed.", hint="Start a new one.")
        return self.get(operation_id)

    def running(self) -> tuple[OperationView, ...]:
        return (operation("running"),) if self.running_now else ()


@dataclass
class Sample:
    """The container, as the application's."""

    hub: Hub = field(default_factory=Hub)
    spokes: Spokes = field(default_factory=Spokes)
    features: Features = field(default_factory=Features)
    training: Training = field(default_factory=Training)
    registry: Registry = field(default_factory=Registry)
    predictions: Predictions = field(default_factory=Predictions)
    simulation: Simulation = field(default_factory=Simulation)
    example: Example = field(default_factory=Example)
    operations: Operations = field(default_factory=Operations)


def sample(options: Mapping[str, Any] | None = None) -> Sample:
    """A sample; options: setup (state of the example), run (state of the newest run), empty (no spoke yet)."""
    options = options or {}
    state = options.get("setup", "succeeded")
    services = Sample(
        training=Training(options.get("run", "SUCCEEDED")),
        example=Example(state),
        operations=Operations("running" if state == "absent" else state, state == "running"),
        simulation=Simulation(not options.get("empty", False)),
    )
    if options.get("empty"):
        services.spokes.all = lambda: ()  # type: ignore[method-assign]
        services.spokes.glance = lambda spoke=None: ()  # type: ignore[method-assign]
    return services
