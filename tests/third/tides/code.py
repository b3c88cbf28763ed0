"""All that the spoke does: two models by hour of the day, and their predictions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from snowflake.ml.model import model_signature

from spoke_kit import registry
from spoke_kit.gates import failed_gates
from spoke_kit.names import literal
from spoke_kit.tasks import Json, TaskContext, task

LEVEL, FLOOD = "level/model", "flood/model"
_HOURS = """SELECT EXTRACT(HOUR FROM "at") AS "hour", AVG("level") AS "level"
FROM {own:readings/hourly} GROUP BY 1 ORDER BY 1"""


def frame(context: TaskContext) -> pd.DataFrame:
    return context.frame(_HOURS).to_pandas().astype(float)


def log(
    context: TaskContext, model: str, estimator: Any, made: pd.DataFrame, metrics: dict[str, float]
) -> Json:
    version = f"v/{context.run_key}"
    registry.log_version(
        context.session,
        context.names,
        model,
        version,
        estimator,
        signature=model_signature.infer_signature(made[["hour"]], made[["out"]]),
        packages=["scikit-learn==1.9.1"],
        artifact_repository=None,
        metrics=metrics,
        lineage={"run_id": context.run_id, "graph": context.graph},
        comment="",
    )
    return {"version": version, "metrics": metrics}


@task
def train_level(context: TaskContext) -> Json:
    hours = frame(context)
    estimator = DecisionTreeRegressor(random_state=0).fit(hours[["hour"]], hours["level"])
    return log(context, LEVEL, estimator, hours.assign(out=hours["level"]), {"mae": 0.05, "naive_mae": 0.2})


@task
def check_level(context: TaskContext) -> str:
    found = context.result_of("fit/it")["metrics"]
    return "leave/it" if failed_gates(found, context.manifest.models[LEVEL]) else "take/it"


@task
def take_level(context: TaskContext) -> Json:
    version = f"v/{context.run_key}"
    registry.promote(context.session, context.names, LEVEL, version)
    return {"version": version}


@task
def leave_level(context: TaskContext) -> Json:
    return {}


@task
def tidy(context: TaskContext) -> Json:
    return {}


@task
def train_flood(context: TaskContext) -> Json:
    hours = frame(context)
    flooded = (hours["level"] > 1.8).astype(float)
    estimator = DecisionTreeClassifier(random_state=0).fit(hours[["hour"]], flooded)
    return log(context, FLOOD, estimator, hours.assign(out=flooded), {"auc": 1.0})


@task
def score(context: TaskContext) -> Json:
    days = context.parameters.get("days") or []
    if not days:
        rows = context.sql('SELECT MIN("at")::DATE FROM {own:pending/hours}')
        days = [rows[0][0].isoformat()] if rows[0][0] else []
    version = next(one for one in registry.versions(context.session, context.names, LEVEL) if one.is_default)
    hours = frame(context)
    levels = ", ".join(
        f"({hour}, {level})" for hour, level in zip(hours["hour"], hours["level"], strict=True)
    )
    wanted = ", ".join(f"{literal(day)}::DATE" for day in days)
    now = literal(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"))
    context.sql(f'DELETE FROM {{own:levels/made}} WHERE "at"::DATE IN ({wanted})')
    context.sql(
        f"""INSERT INTO {{own:levels/made}}
SELECT H."station", H."line/no", H."at", P.COLUMN2, NULL, {literal(version.name)}, {now}::TIMESTAMP_NTZ
FROM {{own:hours/all}} AS H JOIN VALUES {levels} AS P ON P.COLUMN1 = EXTRACT(HOUR FROM H."at")
WHERE H."at"::DATE IN ({wanted})"""
    )
    rows = context.sql(f'SELECT COUNT(*) FROM {{own:levels/made}} WHERE "at"::DATE IN ({wanted})')
    return {"version": version.name, "days": days, "predictions": rows[0][0]}


@task
def evaluate(context: TaskContext) -> Json:
    context.sql(
        """UPDATE {own:levels/made} SET "level/actual" = R."level" FROM {own:readings/hourly} AS R
WHERE R."station" = "levels/made"."station" AND R."line/no" = "levels/made"."line/no" AND R."at" = "levels/made"."at"
"""
    )
    return {"days": []}
