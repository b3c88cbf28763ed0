"""What the example must show after the set-up, killed once on its way."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

SCHEMA = "SPOKEHUB.SHARED_DATA"
MODEL = "/spokes/pudo/models/PUDO__CAPACITY_MODEL/versions"


def test_the_set_up_succeeded_once(spokehub: Any) -> None:
    setups = spokehub.operations(kind="example.setup")
    assert [o["state"] for o in setups] == ["succeeded"], setups
    children = spokehub.operations(parent=setups[0]["id"])
    assert {o["state"] for o in children} == {"succeeded"}
    kinds = Counter((o["kind"], o["spoke"]) for o in children)
    for spoke in setups[0]["params"]["spokes"]:
        assert kinds.pop(("inference.run", spoke)) == 2  # the test days, and the day to come
    assert set(kinds.values()) == {1}


def test_one_default_version_that_beats_the_naive_forecast(spokehub: Any) -> None:
    versions = spokehub.get(MODEL, environment="DEV")["items"]
    (default,) = [v for v in versions if v["is_default"]]
    metrics = default["metrics"]
    assert metrics["mae"] <= 0.8 * metrics["naive_mae"]
    registered = spokehub.get("/spokes/pudo/evaluations", environment="DEV")
    assert registered["registered"]["metrics"]["mae"] == metrics["mae"]


def test_one_prediction_for_each_active_pudo_with_its_actual(spokehub: Any) -> None:
    predictions = spokehub.get("/spokes/pudo/predictions", environment="DEV", limit="200")["items"]
    active = {
        str(r[0]) for r in spokehub.rows(f"SELECT PUDO_ID FROM {SCHEMA}.PUDO_REFERENCE WHERE IS_ACTIVE")
    }
    assert {p["key"][0] for p in predictions} == active
    assert len(predictions) == len(active)
    assert all(isinstance(p["predicted"], float) for p in predictions)
    actual = {
        str(r[0]): r[1]
        for r in spokehub.rows(
            f"SELECT PUDO_ID, FILL_RATE FROM {SCHEMA}.PUDO_OCCUPANCY "
            f"WHERE DATE = (SELECT MAX(DATE) FROM {SCHEMA}.PUDO_OCCUPANCY)"
        )
    }
    assert {p["key"][0]: p["actual"] for p in predictions} == pytest.approx(actual)


def test_the_evaluated_day(spokehub: Any) -> None:
    day, *test_days = spokehub.get("/spokes/pudo/evaluations", environment="DEV")["items"]
    assert len(test_days) == 15
    error = spokehub.rows(
        "SELECT AVG(ABS(E)), SQRT(AVG(E * E)) FROM "
        "(SELECT PREDICTED_FILL_RATE - ACTUAL_FILL_RATE AS E FROM SPOKEHUB.PUDO_DEV.PREDICTIONS "
        f"WHERE PREDICTION_DATE = '{day['day']}')"
    )
    assert (day["mae"], day["rmse"]) == pytest.approx(error[0])
    assert day["naive_mae"] > 0


def test_the_training_run_with_its_tasks(spokehub: Any) -> None:
    runs = spokehub.get("/spokes/pudo/graphs/TRAINING_DAG/runs", environment="DEV")["items"]
    tasks = {t["name"].split("$")[-1]: t for t in runs[0]["tasks"]}
    states = {name: task["state"] for name, task in tasks.items()}
    assert states["SEND_ALERT"] == "SKIPPED"
    done = ("PREPARE_DATA", "TRAIN_MODEL", "CHECK_MODEL_QUALITY", "PROMOTE_MODEL")
    assert {states[name] for name in done} == {"SUCCEEDED"}
    for name in done:
        assert tasks[name]["started_at"] <= tasks[name]["completed_at"]
    assert tasks["CHECK_MODEL_QUALITY"]["return_value"] is not None


def test_nothing_twice_and_no_gap(spokehub: Any) -> None:
    log = spokehub.rows(
        f"SELECT SIMULATION_DATE, PHASE, COUNT(*) FROM {SCHEMA}.DATA_GENERATION_LOG "
        "WHERE PHASE IN ('MORNING', 'EVENING') GROUP BY 1, 2 ORDER BY 1"
    )
    assert {count for _, _, count in log} == {1}
    for phase in ("MORNING", "EVENING"):
        days = sorted(day for day, found, _ in log if found == phase)
        assert days == [days[0] + timedelta(days=i) for i in range(366)]
    for table, key in (
        ("PARCELS", "TRACKING_NUMBER"),
        ("DELIVERY_ATTEMPTS", "ATTEMPT_ID"),
        ("PUDO_OCCUPANCY", "PUDO_ID || DATE"),
    ):
        count, distinct = spokehub.rows(f"SELECT COUNT(*), COUNT(DISTINCT {key}) FROM {SCHEMA}.{table}")[0]
        assert count == distinct > 0
    for operation in spokehub.operations():
        lines = spokehub.get(f"/operations/{operation['id']}/log", limit="1000")["items"]
        assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


BAD = [
    ("GET", "/spokes/nobody", {}, None, 404),
    ("GET", "/spokes/pudo/predictions", {"environment": "MOON"}, None, 422),
    ("POST", "/spokes/pudo/predictions", {}, {"environment": "DEV"}, 409),
    ("POST", "/spokes/pudo/graphs/TRAINING_DAG/runs", {}, {"environment": "STAGING"}, 409),
    ("POST", "/spokes/nobody/graphs/TRAINING_DAG/runs", {}, {"environment": "DEV"}, 404),
    ("POST", "/spokes/pudo/graphs/TRAINING_DAG/runs", {}, {"environment": "MOON"}, 422),
    ("POST", "/simulation/evening", {}, {}, 409),
]


@pytest.mark.parametrize(("method", "path", "params", "body", "status"), BAD)
def test_bad_input_is_refused_and_changes_nothing(
    spokehub: Any, method: str, path: str, params: dict[str, str], body: Any, status: int
) -> None:
    before = [o["id"] for o in spokehub.operations()]
    response = spokehub.client.request(method, f"/api/v1{path}", params=params, json=body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    problem = response.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert [o["id"] for o in spokehub.operations()] == before


def test_a_body_that_is_not_json(spokehub: Any) -> None:
    response = spokehub.client.post(
        "/api/v1/spokes/pudo/predictions", content=b"{not json", headers={"content-type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert response.headers["content-type"].startswith("application/problem+json")


PAGES = (
    "/",
    "/spokes/pudo",
    "/spokes/pudo/features",
    "/spokes/pudo/graphs",
    "/spokes/pudo/models",
    "/spokes/pudo/predictions",
    "/spokes/pudo/alerts",
    "/operations",
    "/simulation",
    "/hub",
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.browser
@pytest.mark.skipif(
    CHROMIUM is None and "browser" not in os.environ.get("SPOKEHUB_TEST_REQUIRE", ""),
    reason="Chromium is not installed",
)
def test_the_pages_in_chromium(spokehub: Any) -> None:
    """Every page is drawn, loads nothing from elsewhere, and complains about nothing."""
    from playwright.sync_api import sync_playwright

    complaints: list[str] = []
    origin = str(spokehub.client.base_url).rstrip("/")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on(
            "request", lambda r: None if r.url.startswith((origin, "data:")) else complaints.append(r.url)
        )
        for address in PAGES:
            response = page.goto(origin + address)
            assert response is not None
            assert response.status == 200, address
            assert page.locator("h1").count() >= 1
        browser.close()
    assert complaints == []


def test_the_simulation_goes_on_for_another_day(spokehub: Any) -> None:
    def run(path: str, body: dict[str, str]) -> dict[str, Any]:
        response = spokehub.client.post(f"/api/v1{path}", json=body)
        assert response.status_code == 202, response.text
        operation = response.headers["location"]
        final = ("succeeded", "failed", "cancelled")
        spokehub.wait(lambda: spokehub.client.get(operation).json()["state"] in final, 300)
        return dict(spokehub.client.get(operation).json())

    assert run("/simulation/morning", {})["state"] == "succeeded"
    repeated = spokehub.client.post("/api/v1/simulation/morning", json={})
    assert repeated.status_code == 409
    assert run("/spokes/pudo/predictions", {"environment": "DEV"})["state"] == "succeeded"
    assert run("/simulation/evening", {})["state"] == "succeeded"
    days = {r[0] for r in spokehub.rows("SELECT DISTINCT PREDICTION_DATE FROM SPOKEHUB.PUDO_DEV.PREDICTIONS")}
    assert len(days) == 17
