"""A hub, a spoke, its features and its models, as the sample has them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from services.core.errors import NotFound
from services.features.types import Consumer, FeatureColumn, FeatureView
from services.hub.types import Account, Environment, HubObject, HubPlan
from services.knowledge.types import Outlook
from services.overview.types import RunMark, SpokeGlance
from services.registry.types import Model, ModelVersion
from services.snowflake.preflight import MissingRight
from services.spokes.types import Spoke, SpokeEnvironment

TODAY = date(2025, 7, 1)


MISSING = (
    MissingRight(
        "MODIFY ON WAREHOUSE SPOKEHUB_WH",
        "Without it the warehouse cannot be changed.",
        "GRANT MODIFY ON WAREHOUSE SPOKEHUB_WH TO ROLE SPOKEHUB_ADMIN;",
    ),
)
RUN_ID = "01c4e2a7-0001-2f5a-0000-4d5500a2b3c6"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Knowledge:
    """What was read a while ago; `outlook_now` is what is said of the next reading."""

    outlook_now: Outlook = field(default_factory=lambda: Outlook(False))
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def names(self) -> tuple[str, ...]:
        return ("hub", "simulation", "spoke:pudo:DEV")

    def outlook(self, parts: Iterable[str] | None = None) -> Outlook:
        return self.outlook_now

    def request(self, parts: Sequence[str] = (), wait: float = 0.0) -> None:
        self.asked.append(tuple(parts))


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
                    spoke="pudo" if kind == "PUDO" else None,
                    environment=env if kind == "PUDO" else None,
                )
                for env in ("DEV", "STAGING", "PROD")
                for kind in ("FEATURE_STORE", "MODEL_REGISTRY", "PUDO")
            ),
            HubObject("SCHEMA", "SPOKEHUB.SCRATCH", "foreign", comment="Nobody declared it."),
        ]
        return HubPlan(
            self.account(), ("SPOKEHUB",), tuple(objects), now(), MISSING, "-- Once.\nUSE ROLE X;\n"
        )

    def start_apply(self, actor: str) -> str:
        return "op-apply"


class Spokes:
    """One spoke in two environments."""

    def all(self) -> tuple[Spoke, ...]:
        at = now() - timedelta(minutes=12)
        return (
            Spoke(
                "pudo",
                "PUDO capacity",
                "Last-mile analytics",
                "How full each parcel point will be today.",
                (
                    SpokeEnvironment("DEV", "PUDO_DEV", at, "9f2c41d7a0be5531", at, ("CAPACITY", "FAILURE")),
                    SpokeEnvironment("STAGING", "PUDO_STAGING", at, predictions=("CAPACITY",)),
                ),
            ),
        )

    def get(self, spoke: str) -> Spoke:
        for item in self.all():
            if item.name == spoke:
                return item
        raise NotFound(f"There is no spoke {spoke}.", hint="GET /api/v1/spokes lists them.")

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
                    now() - timedelta(hours=2),
                    now() - timedelta(minutes=4),
                    "SUCCEEDED" if dynamic else None,
                    240.0 if dynamic else None,
                    3600.0 if dynamic else None,
                    True,
                    f"SELECT PUDO_ID,\n       {columns[0]}\nFROM SPOKEHUB.SHARED_DATA.PUDO_OCCUPANCY\nWHERE 1 < 2",
                    spoke,
                    (
                        Consumer(
                            spoke,
                            environment,
                            True,
                            ("PUDO__CAPACITY_MODEL$V1",),
                            ("PUDO__CAPACITY_DATASET$D1",),
                        ),
                    ),
                )
            )
        return (*views, SharedFeatures().views(environment)[0])

    def start_deploy(self, spoke: str, environment: str, actor: str) -> str:
        return "op-deploy"


class SharedFeatures:
    """Two views of the hub's: one is consumed, in one version."""

    def views(self, environment: str, *, shapes: bool = True) -> tuple[FeatureView, ...]:
        if environment != "DEV":
            return ()
        columns = (
            FeatureColumn("DAY", "DATE", "", "key"),
            FeatureColumn("IS_HOLIDAY", "FLOAT", "1 on a public holiday"),
        )
        consumer = Consumer("pudo", "DEV", True, ("PUDO__CAPACITY_MODEL$V1", "PUDO__CAPACITY_MODEL$V2"))
        calendar = FeatureView(
            "SHARED__CALENDAR", "V1", "VIEW", ("DAY",), columns, "Calendar with public holidays",
            "SPOKEHUB_ADMIN", sql="SELECT 1 < 2", provider="hub", consumers=(consumer,),
        )  # fmt: skip
        cells = FeatureView(
            "SHARED__NEIGHBOURHOOD", "V1", "DYNAMIC TABLE", ("CELL",), (), "Parcels and points around",
            "SPOKEHUB_ADMIN", "1 day", "FULL", "ACTIVE", 62758, lag_seconds=172_800.0, target_lag_seconds=86_400.0,
            consumed=False, provider="hub",
        )  # fmt: skip
        return calendar, cells

    def start_deploy(self, environment: str, actor: str) -> str:
        return "op-shared"


class Registry:
    """One model with six versions."""

    def models(self, spoke: str, environment: str) -> tuple[Model, ...]:
        if environment != "DEV":
            return ()
        versions = tuple(
            ModelVersion(
                "PUDO__CAPACITY_MODEL",
                f"V202507{6 - index:02d}_0602",
                now() - timedelta(days=index),
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


class Overview:
    def hub_failures(self) -> dict[str, int]:
        return {}

    def glance(self, spoke: str | None = None) -> tuple[SpokeGlance, ...]:
        rng = random.Random(3)
        marks = tuple(
            RunMark(
                "TRAINING_DAG",
                RUN_ID,
                1,
                "FAILED" if index == 11 else "EXECUTING" if index == 29 else "SUCCEEDED",
                now() - timedelta(hours=12 * (30 - index)),
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
            now() + timedelta(hours=5),
            "PUDO__CAPACITY_MODEL",
            "V20250701_0602",
            "mae",
            0.0712,
            0.1034,
            TODAY - timedelta(days=1),
            0.0688,
            0.1021,
            TODAY,
            3,
            now() - timedelta(minutes=4),
            240.0,
            3600.0,
            7,
            2,
            success_7=0.97,
            success_30=0.99,
            slowest_graph="TRAINING_DAG",
            run_p50=31.0,
            run_p95=44.0,
            baseline_p50=20.0,
            baseline_p95=30.0,
            credits_7=1.234,
        )
        return (dev, SpokeGlance("pudo", "PUDO capacity", "Last-mile analytics", "STAGING"))
