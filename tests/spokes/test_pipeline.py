"""The whole way of the example on an embedded account: seed, deploy, train, predict, evaluate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
import yaml
from snowflake.snowpark import Session

from mock_data import Simulator, seed
from services.snowflake.children import Children
from spoke_kit import bundle, graphs, manifest, registry
from spoke_kit.errors import GraphBusy
from spoke_kit.layout import Layout
from spoke_kit.names import Names
from tests.spokes.conftest import DATABASE, NETWORK

NAMES = Names(Layout(database=DATABASE), "pudo", "DEV")
LAST_TASK = {
    "TRAINING_DAG": "CLEANUP",
    "INFERENCE_DAG": "SEND_HIGH_CAPACITY_ALERTS",
    "TRAIN": "TIDY",
    "SCORE": "ALERT",
}


_CHILDREN = Children()


def deploy(
    hub: dict[str, Any], directory: Path, *options: str, environment: str = "DEV"
) -> list[dict[str, Any]]:
    """The events of the deploy command, run as the service runs it."""
    arguments = ["--spoke-dir", str(directory), "--environment", environment, "--connection-json", "-"]
    with _CHILDREN.start([*arguments, *options], os.environ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(json.dumps(hub))
        child.stdin.close()
        events = [json.loads(line) for line in child.stdout]
        assert events, child.stderr.read()
    return events


def changes(events: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    assert events[-1]["event"] == "result", events[-1]
    return {(one["kind"], one["name"], one["action"]) for one in events[-1]["changes"]}


def start_graph(connection: Any, graph: str, values: dict[str, Any], names: Names = NAMES) -> str:
    """Start a run; returns what tells it from another run of the same request."""
    mark = uuid.uuid4().hex
    text = json.dumps({**values, "mark": mark})
    connection.cursor().execute(f"EXECUTE TASK {names.own(graph)} USING CONFIG = $${text}$$")
    return mark


def finish_graph(connection: Any, graph: str, mark: str) -> dict[str, dict[str, Any]]:
    """Wait for the end of a run, in which no task may fail; ``{task: row of TASK_HISTORY}``."""
    cursor = connection.cursor(snowflake.connector.DictCursor)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        cursor.execute("SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 200))")
        rows = {row["NAME"]: row for row in cursor.fetchall() if mark in (row["CONFIG"] or "")}
        errors = [f"{name}: {row['ERROR_MESSAGE']}" for name, row in rows.items() if row["STATE"] == "FAILED"]
        assert not errors, "\n".join(errors)
        last = rows.get(f"{graph}${LAST_TASK[graph]}")
        if last and last["STATE"] in ("SUCCEEDED", "CANCELLED", "SKIPPED"):
            return {name.partition("$")[2] or "ROOT": row for name, row in rows.items()}
        time.sleep(0.2)
    raise AssertionError(f"{graph} did not end: {rows}")


def run_graph(
    connection: Any, graph: str, values: dict[str, Any], names: Names = NAMES
) -> dict[str, dict[str, Any]]:
    return finish_graph(connection, graph, start_graph(connection, graph, values, names))


def states(run: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: row["STATE"] for name, row in run.items()}


@pytest.fixture(scope="module")
def connection(hub: dict[str, Any]) -> Iterator[Any]:
    with snowflake.connector.connect(**hub) as opened:
        seed(opened, f'"{DATABASE}"."SHARED_DATA"', NETWORK)
        yield opened


@pytest.fixture(scope="module")
def shared(hub: dict[str, Any], connection: Any, shared_directory: Path) -> list[dict[str, Any]]:
    """The hub's feature views."""
    return deploy(hub, shared_directory)


@pytest.fixture(scope="module")
def deployed(hub: dict[str, Any], shared: Any, spoke_directory: Path) -> list[dict[str, Any]]:
    return deploy(hub, spoke_directory)


SHARED = {"SHARED__CALENDAR V1", "SHARED__NEIGHBOURHOOD V1"}


def test_the_shared_features_are_deployed_once(
    hub: dict[str, Any], shared: list[dict[str, Any]], shared_directory: Path
) -> None:
    assert changes(shared) == {("feature view", name, "create") for name in SHARED}
    kept = {("feature view", name, "keep") for name in SHARED}
    assert changes(deploy(hub, shared_directory)) == kept
    assert changes(deploy(hub, shared_directory, "--plan")) == kept
    created = {("feature view", name, "create") for name in SHARED}
    assert changes(deploy(hub, shared_directory, "--plan", environment="PROD")) == created


@pytest.mark.parametrize("options", [(), ("--plan",)])
@pytest.mark.parametrize(
    ("environment", "wanted", "hint"),
    [
        ("DEV", {"CALENDAR": "V9"}, "It offers SHARED__CALENDAR V1, SHARED__NEIGHBOURHOOD V1."),
        ("DEV", {"TIDES": "V1"}, "It offers SHARED__CALENDAR V1, SHARED__NEIGHBOURHOOD V1."),
        ("PROD", {}, "Deploy the hub's feature views there first."),
    ],
)
def test_what_the_hub_does_not_offer_is_not_consumed(
    hub: dict[str, Any],
    deployed: Any,
    spoke_directory: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    environment: str,
    wanted: dict[str, str],
    hint: str,
) -> None:
    asking = Path(shutil.copytree(spoke_directory, tmp_path / "pudo"))
    (asking / "overlays" / f"{environment.lower()}.yaml").write_text(
        yaml.safe_dump({"shared_features": wanted})
    )
    refused = deploy(hub, asking, "--stage", "features", *options, environment=environment)[-1]
    name, version = next(iter((wanted or {"CALENDAR": "V1"}).items()))
    assert refused == {
        "event": "error",
        "code": "spoke.not_offered",
        "message": f"The hub does not offer SHARED__{name} {version} in {environment}",
        "hint": hint,
    }


@pytest.mark.parametrize(("environment", "code"), [("DEV", 0), ("PROD", 1)])
def test_the_command_says_by_its_exit_code_whether_it_failed(
    hub: dict[str, Any], deployed: Any, spoke_directory: Path, environment: str, code: int
) -> None:
    command = [sys.executable, "-m", "spoke_kit.deploy", "--spoke-dir", str(spoke_directory), "--plan"]
    command += ["--stage", "features", "--environment", environment, "--connection-json", "-"]
    done = subprocess.run(command, input=json.dumps(hub), capture_output=True, text=True, timeout=180)
    assert done.returncode == code, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == ("error" if code else "result")


@pytest.fixture(scope="module")
def trained(connection: Any, deployed: Any) -> dict[str, dict[str, Any]]:
    return run_graph(connection, "TRAINING_DAG", {"request_id": "train-1"})


def test_deploying_makes_everything_once(
    hub: dict[str, Any], deployed: list[dict[str, Any]], spoke_directory: Path
) -> None:
    views = {f"PUDO__{name}_FEATURES V1" for name in ("HISTORICAL", "GEOSPATIAL", "TEMPORAL")}
    first = changes(deployed)
    assert {one for one in first if one[0] in ("feature view", "graph")} == {
        *(("feature view", name, "create") for name in views),
        ("graph", "TRAINING_DAG", "create"),
        ("graph", "INFERENCE_DAG", "create"),
    }
    assert any(event["event"] == "sql" and "CREATE DYNAMIC TABLE" in event["text"] for event in deployed)

    again = changes(deploy(hub, spoke_directory))
    assert {one[2] for one in again if one[0] in ("feature view", "graph", "bundle")} == {"keep"}
    planned = deploy(hub, spoke_directory, "--plan")
    assert {one[2] for one in changes(planned) if one[0] in ("feature view", "graph")} == {"keep"}
    # The client of the feature store makes its own table anew each time it is opened, where it is missing.
    own = "CREATE TABLE IF NOT EXISTS SPOKEHUB.FEATURE_STORE_DEV.SNOWML_SNAPSHOT_STATUS"
    texts = [event["text"].strip().upper() for event in planned if event["event"] == "sql"]
    written = [text for text in texts if text.startswith(("CREATE", "ALTER", "DROP", "INSERT", "PUT"))]
    assert [text for text in written if not text.startswith(own)] == []


def test_training_registers_and_promotes(
    connection: Any, trained: dict[str, dict[str, Any]], hub: dict[str, Any]
) -> None:
    assert states(trained) == {
        "ROOT": "SUCCEEDED",
        "PREPARE_DATA": "SUCCEEDED",
        "TRAIN_MODEL": "SUCCEEDED",
        "CHECK_MODEL_QUALITY": "SUCCEEDED",
        "PROMOTE_MODEL": "SUCCEEDED",
        "SEND_ALERT": "SKIPPED",
        "CLEANUP": "SUCCEEDED",
    }
    result = json.loads(trained["TRAIN_MODEL"]["RETURN_VALUE"])
    session = Session.builder.configs(hub).create()
    try:
        (version,) = registry.versions(session, NAMES, "CAPACITY_MODEL")
    finally:
        session.close()
    assert (version.name, version.is_default, version.aliases) == (result["version"], True, ())
    assert version.metrics == result["metrics"]
    assert version.metrics["mae"] <= 0.8 * version.metrics["naive_mae"]
    assert version.lineage["feature_views"] == {
        "PUDO__HISTORICAL_FEATURES": "V1",
        "PUDO__GEOSPATIAL_FEATURES": "V1",
        "PUDO__TEMPORAL_FEATURES": "V1",
        "SHARED__CALENDAR": "V1",
        "SHARED__NEIGHBOURHOOD": "V1",
    }
    assert {"DAY", "CELL"} & set(version.lineage["features"]) == set()
    assert {"IS_HOLIDAY", "AREA_PARCELS"} <= set(version.lineage["features"])
    assert version.lineage["gates"] == {"passed": True, "failed": []}
    assert json.loads(trained["CLEANUP"]["RETURN_VALUE"]) == {"model_versions": [], "dataset_versions": []}


def test_a_repeated_run_makes_nothing_twice(connection: Any, trained: Any, hub: dict[str, Any]) -> None:
    again = run_graph(connection, "TRAINING_DAG", {"request_id": "train-1"})
    assert states(again) == states(trained)
    result = json.loads(again["TRAIN_MODEL"]["RETURN_VALUE"])
    assert result == {**json.loads(trained["TRAIN_MODEL"]["RETURN_VALUE"]), "logged": False}


def test_a_day_from_morning_to_evaluation(connection: Any, trained: dict[str, dict[str, Any]]) -> None:
    simulator = Simulator(connection, f'"{DATABASE}"."SHARED_DATA"')
    cursor = connection.cursor(snowflake.connector.DictCursor)
    nothing = run_graph(connection, "INFERENCE_DAG", {"request_id": "infer-0"})
    assert json.loads(nothing["GET_PENDING_PREDICTIONS"]["RETURN_VALUE"]) == {"days": []}
    assert json.loads(nothing["MAKE_PREDICTIONS"]["RETURN_VALUE"])["predictions"] == 0

    simulator.morning()
    day = cursor.execute(f"SELECT * FROM {NAMES.own('PENDING_PREDICTIONS')}").fetchall()[0]["PREDICTION_DATE"]
    run = run_graph(connection, "INFERENCE_DAG", {"request_id": "infer-1"})
    assert set(states(run).values()) == {"SUCCEEDED"}
    active = cursor.execute(
        f"SELECT PUDO_ID FROM {NAMES.shared('PUDO_REFERENCE')} WHERE IS_ACTIVE ORDER BY 1"
    ).fetchall()
    made = json.loads(run["MAKE_PREDICTIONS"]["RETURN_VALUE"])
    version = json.loads(trained["TRAIN_MODEL"]["RETURN_VALUE"])["version"]
    assert made == {"version": version, "days": [day.isoformat()], "predictions": len(active)}
    assert cursor.execute(f"SELECT * FROM {NAMES.own('PENDING_PREDICTIONS')}").fetchall() == []

    select = f"SELECT * FROM {NAMES.own('PREDICTIONS')} ORDER BY PUDO_ID"
    first = cursor.execute(select).fetchall()
    assert [row["PUDO_ID"] for row in first] == [row["PUDO_ID"] for row in active]
    assert {row["ACTUAL_FILL_RATE"] for row in first} == {None}
    run_graph(connection, "INFERENCE_DAG", {"request_id": "infer-2", "days": [day.isoformat()]})
    second = cursor.execute(select).fetchall()
    assert [(r["PREDICTION_ID"], r["PREDICTED_FILL_RATE"]) for r in second] == [
        (r["PREDICTION_ID"], r["PREDICTED_FILL_RATE"]) for r in first
    ]

    simulator.evening()
    told = json.dumps({"layout": NAMES.layout.text, "environment": "DEV"})
    answer = cursor.execute(f"CALL {NAMES.own('EVALUATE_PREDICTIONS')}(%s)", (told,)).fetchall()
    assert json.loads(next(iter(answer[0].values()))) == {"scored": len(active)}
    rows = cursor.execute(select).fetchall()
    errors = [row["PREDICTED_FILL_RATE"] - row["ACTUAL_FILL_RATE"] for row in rows]
    assert [row["PREDICTION_ERROR"] for row in rows] == pytest.approx(errors)


def test_a_failed_gate_leaves_an_alert(
    connection: Any, trained: Any, hub: dict[str, Any], spoke_directory: Path, tmp_path: Path
) -> None:
    strict = Path(shutil.copytree(spoke_directory, tmp_path / "pudo"))
    overlay = strict / "overlays" / "dev.yaml"
    overlay.write_text(
        yaml.safe_dump({"models": {"CAPACITY_MODEL": {"gates": {"baseline": {"ratio": 0.01}}}}})
    )
    assert ("graph", "TRAINING_DAG", "replace") in changes(deploy(hub, strict, "--stage", "graphs"))
    run = run_graph(connection, "TRAINING_DAG", {"request_id": "train-strict"})
    assert (run["PROMOTE_MODEL"]["STATE"], run["SEND_ALERT"]["STATE"]) == ("SKIPPED", "SUCCEEDED")
    failed = json.loads(run["SEND_ALERT"]["RETURN_VALUE"])
    cursor = connection.cursor(snowflake.connector.DictCursor)
    cursor.execute(f"SELECT * FROM {NAMES.own('ALERTS')} WHERE KIND = 'MODEL_QUALITY'")
    assert [row["SUBJECT"] for row in cursor.fetchall()] == [failed["version"]]
    assert failed["failed"] != []


def test_a_running_graph_is_not_replaced(
    connection: Any, hub: dict[str, Any], deployed: Any, spoke_directory: Path
) -> None:
    session = Session.builder.configs(hub).create()
    settings = manifest.load(spoke_directory, "DEV")
    other = replace(bundle.build(spoke_directory), digest="0" * 64)
    deployment = graphs.Deployment(session, settings, NAMES, other)
    mark = start_graph(connection, "TRAINING_DAG", {"request_id": "busy"})
    try:
        with pytest.raises(GraphBusy):
            graphs.deploy(deployment, "TRAINING_DAG")
    finally:
        session.close()
        finish_graph(connection, "TRAINING_DAG", mark)


def test_a_changed_definition_is_refused_outside_dev(
    hub: dict[str, Any], deployed: Any, spoke_directory: Path, shared_directory: Path, tmp_path: Path
) -> None:
    changed = Path(shutil.copytree(spoke_directory, tmp_path / "pudo"))
    file = changed / "features" / "historical.py"
    file.write_text(file.read_text().replace(">= 0.8", ">= 0.9"))
    name = "PUDO__HISTORICAL_FEATURES V1"
    deploy(hub, shared_directory, environment="STAGING")
    deploy(hub, spoke_directory, "--stage", "features", environment="STAGING")
    refused = deploy(hub, changed, "--stage", "features", environment="STAGING")[-1]
    assert (refused["event"], refused["code"]) == ("error", "spoke.version_changed")
    assert ("feature view", name, "refuse") in changes(
        deploy(hub, changed, "--stage", "features", "--plan", environment="STAGING")
    )
    planned = deploy(hub, changed, "--stage", "features", "--plan")
    assert ("feature view", name, "replace") in changes(planned)
