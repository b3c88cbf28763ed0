"""What is written about predictions, a row a point and day: actuals, naive forecasts and alerts, against numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark import Session

from spoke_kit import manifest, tables
from spoke_kit.layout import Layout
from spoke_kit.names import Names, literal
from spoke_kit.tasks import TaskContext
from spokes.pudo.inference.alerts import send_high_capacity_alerts
from spokes.pudo.inference.evaluate import evaluate_predictions
from spokes.pudo.inference.predict import MERGE

NAMES = Names(Layout(database="PREDICTION_TESTS"), "pudo", "DEV")
DAY = date(2025, 6, 10)
#: Fill rates of the days before by (point, days back); point 3 was closed on the same weekday, point 4 is new.
BEFORE = {(1, 1): 0.5, (1, 7): 0.9, (2, 1): 0.2, (2, 7): 0.4, (2, 8): 5.0, (3, 2): 0.6}
PREDICTED = {1: 0.9, 2: 0.3, 3: 1.1, 4: 0.5}
ACTUAL = {1: 1.0, 2: 0.4, 3: 0.5, 4: 0.86}


class Graphless(TaskContext):
    """A context outside a graph, whose predecessor returned what the test says."""

    def result_of(self, task: str) -> dict[str, Any]:
        assert task == "MAKE_PREDICTIONS"
        return {"days": [DAY.isoformat()]}


@pytest.fixture
def context(account: dict[str, Any], spoke_directory: Path) -> Iterator[TaskContext]:
    session = Session.builder.configs(account).create()
    settings = manifest.load(spoke_directory, "DEV")
    found = Graphless(session, settings, NAMES, "run-1", "INFERENCE_DAG", {})
    for statement in (
        f"CREATE OR REPLACE DATABASE {NAMES.database}",
        f"CREATE SCHEMA {NAMES.database}.SHARED_DATA",
        "CREATE TABLE {shared:PUDO_OCCUPANCY} (PUDO_ID INTEGER, DATE DATE, FILL_RATE FLOAT)",
        "CREATE TABLE {shared:PARCELS} (CREATED_DATE DATE)",
        "CREATE TABLE {shared:PUDO_REFERENCE} (PUDO_ID INTEGER, PUDO_NAME VARCHAR, PUDO_TYPE VARCHAR, "
        "LATITUDE FLOAT, LONGITUDE FLOAT, CAPACITY INTEGER)",
        "INSERT INTO {shared:PUDO_REFERENCE} SELECT COLUMN1, 'P', 'POST_OFFICE', 52.5, 13.4, 20 "
        "FROM VALUES (1), (2), (3), (4)",
    ):
        found.sql(statement)
    tables.deploy(session, "spokes.pudo", settings, NAMES)
    yield found
    session.close()


def occupancy(context: TaskContext, rates: dict[tuple[int, date], float]) -> None:
    rows = ", ".join(f"({pudo}, '{day}', {rate})" for (pudo, day), rate in rates.items())
    context.sql("INSERT INTO {shared:PUDO_OCCUPANCY} VALUES " + rows)


def predict(context: TaskContext, predicted: dict[int, float], version: str = "V1") -> None:
    rows = ", ".join(f"('{pudo}:{DAY}', {pudo}, '{DAY}', {rate})" for pudo, rate in predicted.items())
    context.sql(
        "CREATE OR REPLACE TABLE {own:INFERENCE_RESULTS} (PREDICTION_ID VARCHAR, PUDO_ID INTEGER, "
        "PREDICTION_DATE VARCHAR, PREDICTED_FILL_RATE FLOAT)"
    )
    context.sql("INSERT INTO {own:INFERENCE_RESULTS} VALUES " + rows)
    context.sql(MERGE, version=literal(version), now=literal("2025-06-10 06:15:00"))


def evaluate(context: TaskContext) -> dict[str, Any]:
    value = evaluate_predictions.__wrapped__(context)  # type: ignore[attr-defined]
    assert isinstance(value, dict)
    return value


def test_a_day_is_pending_until_it_is_predicted_or_over(context: TaskContext) -> None:
    pending = "SELECT PREDICTION_DATE FROM {own:PENDING_PREDICTIONS} ORDER BY 1"
    occupancy(context, {(1, DAY - timedelta(days=1)): 0.1})
    context.sql(
        "INSERT INTO {shared:PARCELS} SELECT DATEADD(day, COLUMN1, {day}::DATE) FROM VALUES (-1), (0), (0), (1)",
        day=literal(DAY.isoformat()),
    )
    assert [row[0] for row in context.sql(pending)] == [DAY, DAY + timedelta(days=1)]
    predict(context, {1: 0.5})
    assert [row[0] for row in context.sql(pending)] == [DAY + timedelta(days=1)]
    occupancy(context, {(1, DAY + timedelta(days=1)): 0.1})
    assert context.sql(pending) == []


def test_forecasts_stand_beside_the_naive_ones(context: TaskContext) -> None:
    occupancy(context, {(pudo, DAY - timedelta(days=back)): rate for (pudo, back), rate in BEFORE.items()})
    predict(context, PREDICTED)
    assert evaluate(context) == {"scored": 0}
    occupancy(context, {(pudo, DAY): rate for pudo, rate in ACTUAL.items()})
    assert evaluate(context) == {"scored": 4}
    assert evaluate(context) == {"scored": 4}
    rows = context.sql(
        "SELECT PUDO_ID, PREDICTION_DATE, KIND, CAPACITY, PREDICTED_FILL_RATE, ACTUAL_FILL_RATE, NAIVE_FILL_RATE "
        "FROM {own:CAPACITY_FORECASTS} ORDER BY PUDO_ID"
    )
    # The same weekday last week; point 3 was closed on it and has the mean of 7 days, point 4 is new.
    naive = {1: 0.9, 2: 0.4, 3: 0.6, 4: None}
    assert [tuple(row) for row in rows] == [
        (pudo, DAY, "post office", 20, PREDICTED[pudo], ACTUAL[pudo], naive[pudo]) for pudo in PREDICTED
    ]


def test_predicting_again_replaces_and_keeps_actuals(context: TaskContext) -> None:
    predict(context, PREDICTED)
    occupancy(context, {(pudo, DAY): rate for pudo, rate in ACTUAL.items()})
    evaluate(context)
    predict(context, {1: 0.7, 2: 0.3}, "V2")
    rows = context.sql(
        "SELECT PUDO_ID, PREDICTED_FILL_RATE, MODEL_VERSION, ACTUAL_FILL_RATE, PREDICTION_ERROR "
        "FROM {own:PREDICTIONS} ORDER BY PUDO_ID"
    )
    assert [(row[0], row[1], row[2], row[3], round(row[4], 9)) for row in rows] == [
        (1, 0.7, "V2", 1.0, -0.3),
        (2, 0.3, "V2", 0.4, -0.1),
        (3, 1.1, "V1", 0.5, 0.6),
        (4, 0.5, "V1", 0.86, -0.36),
    ]


def test_alerts_follow_the_newest_forecast(context: TaskContext) -> None:
    def alerts() -> list[tuple[str, str]]:
        rows = context.sql("SELECT SUBJECT, DETAIL FROM {own:ALERTS} ORDER BY SUBJECT")
        return [(row[0], row[1]) for row in rows]

    send = send_high_capacity_alerts.__wrapped__  # type: ignore[attr-defined]
    predict(context, PREDICTED)
    assert send(context) == {"alerts": 2, "days": [DAY.isoformat()]}
    assert send(context) == {"alerts": 2, "days": [DAY.isoformat()]}
    assert alerts() == [("1", "HIGH"), ("3", "OVER")]
    predict(context, {1: 0.2, 2: 0.85})
    assert send(context) == {"alerts": 2, "days": [DAY.isoformat()]}
    assert alerts() == [("2", "HIGH"), ("3", "OVER")]
