"""The delivery spoke's whole way on an embedded account: deploy, train, predict a morning, evaluate its evening."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.snowpark import Session

from mock_data import Simulator, seed
from spoke_kit import registry
from spoke_kit.layout import Layout
from spoke_kit.names import Names
from tests.spokes.conftest import NETWORK
from tests.spokes.test_pipeline import changes, deploy, run_graph, states

#: Another one than the other spoke's tests have: each moves the days on.
DATABASE = "DELIVERY_TESTS"
NAMES = Names(Layout(database=DATABASE), "delivery", "DEV")
LAYOUT = ("--layout", NAMES.layout.text)
SHARED = f'"{DATABASE}"."SHARED_DATA"'


@pytest.fixture(scope="module")
def hub(account: dict[str, Any]) -> dict[str, Any]:
    with snowflake.connector.connect(**account) as opened:
        for statement in (f"CREATE DATABASE {DATABASE}", f"CREATE SCHEMA {SHARED}"):
            opened.cursor().execute(statement)
    return {**account, "database": DATABASE}


@pytest.fixture(scope="module")
def connection(hub: dict[str, Any]) -> Iterator[Any]:
    with snowflake.connector.connect(**hub) as opened:
        seed(opened, SHARED, NETWORK)
        yield opened


@pytest.fixture(scope="module")
def deployed(hub: dict[str, Any], connection: Any, shared_directory: Path) -> list[dict[str, Any]]:
    deploy(hub, shared_directory, *LAYOUT)
    return deploy(hub, shared_directory.parent / "delivery", *LAYOUT)


@pytest.fixture(scope="module")
def trained(connection: Any, deployed: Any) -> dict[str, dict[str, Any]]:
    return run_graph(connection, "TRAIN", {"request_id": "train-1"}, NAMES)


def rows(connection: Any, sql: str) -> list[dict[str, Any]]:
    return list(connection.cursor(snowflake.connector.DictCursor).execute(sql).fetchall())


def test_deploying_makes_everything_once(
    hub: dict[str, Any], deployed: list[dict[str, Any]], shared_directory: Path
) -> None:
    made = {
        ("feature view", "DELIVERY__STREET_HISTORY V1", "create"),
        ("feature view", "DELIVERY__PARCEL_FEATURES V1", "create"),
        ("graph", "TRAIN", "create"),
        ("graph", "SCORE", "create"),
    }
    assert {one for one in changes(deployed) if one[0] in ("feature view", "graph")} == made
    again = changes(deploy(hub, shared_directory.parent / "delivery", *LAYOUT))
    assert {one[2] for one in again if one[0] in ("feature view", "graph", "bundle")} == {"keep"}


def test_training_beats_the_naive_rates_and_is_calibrated(
    hub: dict[str, Any], trained: dict[str, dict[str, Any]]
) -> None:
    assert states(trained) == {
        "ROOT": "SUCCEEDED",
        "PREPARE": "SUCCEEDED",
        "FIT": "SUCCEEDED",
        "JUDGE": "SUCCEEDED",
        "PROMOTE": "SUCCEEDED",
        "WARN": "SKIPPED",
        "TIDY": "SUCCEEDED",
    }
    session = Session.builder.configs(hub).create()
    try:
        (version,) = registry.versions(session, NAMES, "MISS_MODEL")
    finally:
        session.close()
    found = version.metrics
    assert version.is_default
    assert version.lineage["gates"] == {"passed": True, "failed": []}
    assert found["log_loss"] <= 0.95 * found["naive_log_loss"]
    assert found["naive_log_loss"] == min(
        v for k, v in found.items() if k.startswith("naive_") and "loss" in k
    )
    assert 0.62 <= found["roc_auc"] <= 0.8
    assert found["expected_calibration_error"] <= 0.03
    assert json.loads(trained["TIDY"]["RETURN_VALUE"]) == {"model_versions": [], "dataset_versions": []}


def test_a_repeated_run_makes_nothing_twice(connection: Any, trained: dict[str, dict[str, Any]]) -> None:
    again = run_graph(connection, "TRAIN", {"request_id": "train-1"}, NAMES)
    assert states(again) == states(trained)
    first = json.loads(trained["FIT"]["RETURN_VALUE"])
    assert json.loads(again["FIT"]["RETURN_VALUE"]) == {**first, "logged": False}


def test_a_day_from_morning_to_evaluation(connection: Any, trained: dict[str, dict[str, Any]]) -> None:
    simulator = Simulator(connection, SHARED)
    nothing = run_graph(connection, "SCORE", {"request_id": "score-0"}, NAMES)
    assert json.loads(nothing["PREDICT"]["RETURN_VALUE"])["predictions"] == 0

    day = simulator.morning().day
    run = run_graph(connection, "SCORE", {"request_id": "score-1"}, NAMES)
    assert set(states(run).values()) == {"SUCCEEDED"}
    announced = rows(
        connection, f"SELECT TRACKING_NUMBER FROM {SHARED}.PARCELS WHERE CREATED_DATE = '{day}' ORDER BY 1"
    )
    version = json.loads(trained["FIT"]["RETURN_VALUE"])["version"]
    made = json.loads(run["PREDICT"]["RETURN_VALUE"])
    assert made == {"version": version, "days": [day.isoformat()], "predictions": len(announced)}
    assert rows(connection, f"SELECT * FROM {NAMES.own('PENDING_PREDICTIONS')}") == []

    select = f"SELECT * FROM {NAMES.own('MISS_FORECASTS')} ORDER BY TRACKING_NUMBER"
    first = rows(connection, select)
    assert [one["TRACKING_NUMBER"] for one in first] == [one["TRACKING_NUMBER"] for one in announced]
    assert {one["ACTUAL_MISS"] for one in first} == {None}
    assert all(0 < one["PREDICTED_MISS"] < 1 for one in first)
    assert len({one["NAIVE_MISS"] for one in first}) == 1
    alerts = rows(connection, f"SELECT SUBJECT, DETAIL FROM {NAMES.own('ALERTS')} ORDER BY SUBJECT")
    assert [(one["SUBJECT"], one["DETAIL"]) for one in alerts] == [
        (one["TRACKING_NUMBER"], "SURE" if one["PREDICTED_MISS"] >= 0.96 else "LIKELY")
        for one in first
        if one["PREDICTED_MISS"] >= 0.92
    ]
    run_graph(connection, "SCORE", {"request_id": "score-2", "days": [day.isoformat()]}, NAMES)
    stamp = {"PREDICTION_TIMESTAMP": None}
    assert [one | stamp for one in rows(connection, select)] == [one | stamp for one in first]

    simulator.evening()
    told = json.dumps({"layout": NAMES.layout.text, "environment": "DEV"})
    answer = connection.cursor().execute(f"CALL {NAMES.own('EVALUATE_PREDICTIONS')}(%s)", (told,)).fetchall()
    assert json.loads(answer[0][0]) == {"scored": len(first)}
    scored = rows(connection, select)
    truth = {
        one["TRACKING_NUMBER"]: int(one["DELIVERY_STATUS"] != "DELIVERED_TO_CUSTOMER")
        for one in rows(
            connection,
            f"SELECT TRACKING_NUMBER, DELIVERY_STATUS FROM {SHARED}.DELIVERY_ATTEMPTS WHERE ATTEMPT_NUMBER = 1 "
            f"AND ATTEMPT_DATE = '{day}'",
        )
    }
    assert {one["TRACKING_NUMBER"]: one["ACTUAL_MISS"] for one in scored} == truth
