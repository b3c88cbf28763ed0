"""The domains over REST, on a real account, from an empty one to a second environment."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.addresses import path
from app.main import create_app
from services.core.settings import read_settings
from services.example.types import SMALL
from services.snowflake.identifiers import quote
from tests.app.conftest import TestClient
from tests.app.nasty import requests

MODEL = "/spokes/pudo/models/PUDO__CAPACITY_MODEL/versions"
TRAINING = "/spokes/pudo/graphs/TRAINING_DAG/runs"
# Points of the small network.
ACTIVE = 24


class Api:
    """The REST API, and waiting for what it starts."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get(self, path: str, **params: Any) -> Any:
        # Without any, those of the path are kept.
        answer = self.client.get(f"/api/v1{path}", params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def awaited(self, path: str) -> None:
        """Wait until the account was read for the first time."""
        for _ in range(600):
            answer = self.client.get(f"/api/v1{path}")
            if answer.status_code != 503:
                return
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("not_yet_known", "5")
            time.sleep(0.1)
        raise AssertionError(answer.text)

    def read(self) -> None:
        """Read the account, to which others did something."""
        assert {one.error for one in self.client.app.state.domains.knowledge.refresh()} == {None}

    def problem(self, path: str, **params: Any) -> tuple[int, str]:
        """The problem of a GET."""
        # Without any, those of the path are kept.
        answer = self.client.get(f"/api/v1{path}", params=params or None)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, answer.json()["code"]

    def items(self, path: str, **params: Any) -> list[Any]:
        found = self.get(path, **params)
        assert found["next_cursor"] is None
        return list(found["items"])

    def refused(self, path: str, body: Any = None) -> tuple[int, str]:
        """The problem of a POST; that nothing was started is checked."""
        before = len(self.get("/operations", limit=1000)["items"])
        answer = self.client.post(f"/api/v1{path}", json=body)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem = answer.json()
        assert problem["detail"]
        assert problem["hint"]
        assert len(self.get("/operations", limit=1000)["items"]) == before
        return answer.status_code, problem["code"]

    def run(self, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.client.post(f"/api/v1{path}", json=body)
        assert answer.status_code == 202, answer.text
        for _ in range(3000):
            operation = self.client.get(answer.headers["Location"]).json()
            if operation["state"] in ("succeeded", "failed", "cancelled"):
                return dict(operation)
            time.sleep(0.2)
        raise AssertionError(operation)

    def done(self, path: str, body: Any = None) -> Any:
        operation = self.run(path, body)
        assert operation["state"] == "succeeded", operation["error"]
        return operation["result"]

    def sql(self, operation: dict[str, Any]) -> list[str]:
        return [row["text"] for row in self.client.get(operation["links"]["sql"]).json()["items"]]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = str(tmp_path_factory.mktemp("domains"))
    settings = read_settings({"SPOKEHUB_DATA": folder, "SPOKEHUB_EXAMPLE": "none"})
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield Api(client)


def test_an_empty_account(api: Api) -> None:
    api.awaited("/hub/plan")
    api.awaited("/simulation")
    plan = api.get("/hub/plan")
    given = {item["name"] for item in plan["objects"] if item["state"] == "present"}
    # What an administrator grants once, which the embedded account is given when it starts.
    assert given == {
        "SPOKEHUB_ADMIN",
        "USAGE ON ROLE SPOKEHUB_ADMIN TO SYSADMIN",
        "EXECUTE TASK, MONITOR EXECUTION ON ACCOUNT TO SPOKEHUB_ADMIN",
    }
    assert {item["state"] for item in plan["objects"]} == {"present", "missing"}
    assert all(item["sql"].endswith(";") for item in plan["objects"] if item["state"] == "missing")
    assert (plan["account"]["role"], plan["missing"]) == ("SPOKEHUB_ADMIN", [])
    assert plan["bootstrap"].startswith("-- ")
    assert api.items("/spokes") == []
    assert api.get("/simulation")["next"]["kind"] == "data.seed"
    assert api.items("/spokes/pudo/graphs", environment="DEV") == []
    assert api.problem("/spokes/pudo/predictions", environment="dev") == (409, "not_onboarded")
    assert api.refused("/simulation/seed") == (409, "hub_not_applied")
    assert api.refused("/spokes", {"spoke": "pudo"}) == (409, "hub_not_applied")
    assert api.refused("/simulation/morning") == (409, "not_seeded")
    assert api.refused("/example") == (409, "example_disabled")


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/spokes", {"spoke": "nobody"}, (404, "unknown_spoke")),
        ("/spokes", {"spoke": "../pudo"}, (404, "unknown_spoke")),
        ("/spokes", {"spoke": "pudo", "environment": "MOON"}, (422, "unknown_environment")),
        ("/spokes", {"spoke": "pudo", "enviroment": "DEV"}, (422, "invalid")),
        ("/spokes/nobody/graphs/TRAINING_DAG/runs", None, (404, "unknown_spoke")),
        ("/spokes/pudo/graphs/NONE/runs", None, (409, "not_onboarded")),
        ("/spokes/pudo/graphs/TRAINING_DAG/runs?environment=MOON", None, (422, "unknown_environment")),
        ("/spokes/pudo/graphs/TRAINING_DAG/runs?environment=PROD", {}, (409, "not_onboarded")),
        ("/spokes/pudo/graphs/TRAINING_DAG/runs", {"days": ["2025-07-01"]}, (409, "not_onboarded")),
        ("/spokes/pudo/deployments", {"part": "all"}, (422, "invalid")),
        ("/simulation/reset", {"confirm": "yes"}, (422, "not_confirmed")),
    ],
)
def test_what_is_refused_changes_nothing(api: Api, path: str, body: Any, expected: tuple[int, str]) -> None:
    assert api.refused(path, body) == expected


def test_hub_seed_and_onboarding(api: Api) -> None:
    assert api.done("/hub/apply") == {"objects": len(api.get("/hub/plan")["objects"])}
    assert {item["state"] for item in api.get("/hub/plan")["objects"]} == {"present"}
    operations = api.client.app.state.domains.operations

    def seed() -> Any:
        """By REST it is ten times as many rows, which the tutorials have."""
        return operations.wait(operations.submit("data.seed", {"network": SMALL}, actor="ada").id, 120).result

    seeded = seed()
    assert (seeded["first_day"], seeded["last_day"], seeded["already_seeded"]) == (
        "2024-07-01",
        "2025-06-30",
        False,
    )
    assert seed()["already_seeded"]
    other = api.run("/simulation/seed")
    assert (other["state"], other["error"]["code"]) == ("failed", "seeded_differently")
    onboarding = api.run("/spokes", {"spoke": "pudo", "environment": "DEV"})
    assert onboarding["state"] == "succeeded", onboarding["error"]
    assert any(text.startswith("CREATE TABLE IF NOT EXISTS") for text in api.sql(onboarding))
    (spoke,) = api.items("/spokes")
    assert (spoke["name"], spoke["title"]) == ("pudo", "PUDO capacity forecast")
    assert [one["schema_name"] for one in spoke["environments"]] == ["PUDO_DEV"]
    assert {item["state"] for item in api.get("/hub/plan")["objects"]} == {"present"}


def test_each_step_waits_for_the_one_before(api: Api) -> None:
    assert api.refused(TRAINING) == (409, "graph_not_deployed")
    assert api.refused("/spokes/pudo/predictions") == (409, "graph_not_deployed")
    result = api.done("/spokes/pudo/deployments", {"part": "graphs", "environment": "DEV"})
    assert {(one["name"], one["action"]) for one in result["changes"] if one["kind"] == "graph"} == {
        ("TRAINING_DAG", "create"),
        ("INFERENCE_DAG", "create"),
    }
    assert api.refused(TRAINING) == (409, "spoke.not_offered")
    assert api.refused("/spokes/pudo/deployments", {"part": "features"}) == (409, "spoke.not_offered")
    shared = api.done("/hub/feature-views", {"environment": "DEV"})["changes"]
    assert {(one["name"], one["action"]) for one in shared} == {
        ("SHARED__CALENDAR V1", "create"),
        ("SHARED__NEIGHBOURHOOD V1", "create"),
    }
    assert api.refused(TRAINING) == (409, "features_not_deployed")
    api.done("/spokes/pudo/deployments", {"part": "features"})
    views = api.items("/spokes/pudo/feature-views", environment="DEV")
    assert [(view["name"], view["kind"], view["consumed"], view["entities"]) for view in views] == [
        ("PUDO__GEOSPATIAL_FEATURES", "DYNAMIC TABLE", True, ["PUDO"]),
        ("PUDO__HISTORICAL_FEATURES", "VIEW", True, ["PUDO"]),
        ("PUDO__TEMPORAL_FEATURES", "VIEW", True, ["PUDO"]),
        ("SHARED__CALENDAR", "VIEW", True, ["DAY"]),
        ("SHARED__NEIGHBOURHOOD", "DYNAMIC TABLE", True, ["CELL"]),
    ]
    roles = {column["name"]: column["role"] for column in views[0]["columns"]}
    assert (roles["PUDO_ID"], roles["UPDATED_AT"], roles["DAILY_PARCEL_DEMAND"]) == (
        "key",
        "timestamp",
        "feature",
    )
    assert views[0]["target_lag_seconds"] == 86_400
    assert api.refused("/spokes/pudo/predictions") == (409, "no_model_version")
    parts = [one["part"] for one in api.items("/spokes/pudo/deployments")]
    assert parts == ["features", "graphs", "tables"]


def test_training_makes_a_version(api: Api) -> None:
    result = api.done(TRAINING)
    (version,) = api.items(MODEL, environment="DEV")
    assert (version["version"], version["is_default"]) == (result["version"], True)
    assert version["metrics"]["mae"] <= 0.8 * version["metrics"]["naive_mae"]
    (run,) = api.items(TRAINING)
    states = {task["name"].partition("$")[2]: task["state"] for task in run["tasks"]}
    assert states == {
        "": "SUCCEEDED",
        "PREPARE_DATA": "SUCCEEDED",
        "TRAIN_MODEL": "SUCCEEDED",
        "CHECK_MODEL_QUALITY": "SUCCEEDED",
        "PROMOTE_MODEL": "SUCCEEDED",
        "SEND_ALERT": "SKIPPED",
        "CLEANUP": "SUCCEEDED",
    }
    assert (run["run_id"], run["state"]) == (result["run_id"], "SUCCEEDED")
    assert api.get(f"{TRAINING}/{run['run_id']}") == run
    assert api.refused(f"{TRAINING}/{run['run_id']}/retry") == (409, "not_retryable")
    assert api.refused(f"{MODEL}/{version['version']}/promote") == (409, "already_default")
    assert api.refused("/spokes/pudo/predictions") == (409, "no_pending_day")


def test_a_day_from_morning_to_evaluation(api: Api) -> None:
    assert api.refused("/simulation/evening") == (409, "morning_missing")
    assert api.done("/simulation/morning")["day"] == "2025-07-01"
    assert api.refused("/simulation/morning") == (409, "evening_open")
    assert api.refused("/simulation/morning", {"day": "2025-07-01"}) == (409, "morning_already_done")
    assert api.get("/simulation")["next"] == {
        "kind": "inference.run",
        "title": "Predict 2025-07-01 with pudo",
        "day": "2025-07-01",
        "spoke": "pudo",
        "environment": "DEV",
        "prediction": "CAPACITY",
        "graph": "INFERENCE_DAG",
    }
    assert api.done("/simulation/next")["days"] == ["2025-07-01"]
    predictions = api.get("/spokes/pudo/predictions", environment="DEV", limit=200)
    assert (predictions["day"], len(predictions["items"])) == ("2025-07-01", ACTIVE)
    assert predictions["as_of"]
    assert predictions["problem"] is None
    assert {one["actual"] for one in predictions["items"]} == {None}
    alerts = api.items("/alerts", environment="DEV")
    full = [one for one in predictions["items"] if one["predicted"] >= 0.85]
    assert [(one["spoke"], one["environment"], one["key"], one["level"]) for one in alerts] == [
        ("pudo", "DEV", one["key"], one["level"]) for one in full
    ]
    assert predictions["totals"]["levels"]["high"] == predictions["totals"]["open_alerts"] == len(full)
    assert api.refused("/spokes/pudo/evaluations") == (409, "nothing_to_evaluate")
    assert api.done("/simulation/next")["phase"] == "EVENING"
    assert api.done("/simulation/next")["days"][0]["day"] == "2025-07-01"
    assert api.items("/alerts") == []
    evaluations = api.get("/spokes/pudo/evaluations", environment="DEV")
    (day,) = evaluations["items"]
    errors = [
        abs(one["predicted"] - one["actual"])
        for one in api.get("/spokes/pudo/predictions", limit=200)["items"]
    ]
    assert day["mae"] == pytest.approx(sum(errors) / len(errors))
    assert (day["n"], evaluations["registered"]["model"]) == (ACTIVE, "PUDO__CAPACITY_MODEL")
    point = api.get("/spokes/pudo/entities/history", key=1, limit=3)
    assert [one["time"] for one in point["values"]] == ["2025-06-29", "2025-06-30", "2025-07-01"]
    assert [one["predicted"] is None for one in point["values"]] == [True, True, False]
    assert api.problem("/spokes/pudo/entities/history", key="none") == (404, "unknown_entity")
    assert api.problem("/spokes/pudo/predictions", prediction="NONE") == (404, "unknown_prediction")
    calendar = api.get("/simulation", days=2)["days"]
    assert [(one["day"], one["seeded"], one["predicted"], one["evaluated"]) for one in calendar] == [
        ("2025-06-30", True, False, False),
        ("2025-07-01", False, True, True),
    ]


def test_the_way_back(api: Api) -> None:
    assert api.done("/simulation/reset", {"confirm": "reset"})["last_day"] == "2025-06-30"
    assert api.get("/spokes/pudo/predictions")["day"] is None
    assert api.get("/simulation")["next"]["day"] == "2025-07-01"


def test_a_failed_run_is_resumed_from_the_task_that_failed(api: Api) -> None:
    """The account loses what the run needs between the check and the run, and gets it back."""
    source = api.client.app.state.domains.hub._source
    source.query("ALTER TABLE SPOKEHUB.SHARED_DATA.PUDO_OCCUPANCY RENAME TO SPOKEHUB.SHARED_DATA.AWAY")
    source.query("CREATE TABLE SPOKEHUB.SHARED_DATA.PUDO_OCCUPANCY LIKE SPOKEHUB.SHARED_DATA.AWAY")
    failed = api.run(TRAINING)
    source.query("DROP TABLE SPOKEHUB.SHARED_DATA.PUDO_OCCUPANCY")
    source.query("ALTER TABLE SPOKEHUB.SHARED_DATA.AWAY RENAME TO SPOKEHUB.SHARED_DATA.PUDO_OCCUPANCY")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "run_failed")
    assert "there is no occupancy to learn from" in failed["error"]["message"]
    assert failed["error"]["hint"].startswith("Mend the cause, then resume")
    resumed = api.run(f"/operations/{failed['id']}/resume")
    assert resumed["state"] == "succeeded", resumed["error"]
    newest, before = api.items(TRAINING)[:2]
    assert [(one["run_id"], one["attempt"], one["state"]) for one in (newest, before)] == [
        (resumed["result"]["run_id"], 2, "SUCCEEDED"),
        (resumed["result"]["run_id"], 1, "FAILED"),
    ]
    second, first = api.items(MODEL)
    assert (second["version"], second["is_default"]) == (resumed["result"]["version"], True)
    assert api.done(f"{MODEL}/{first['version']}/promote")["replaced"] == second["version"]
    assert [one["is_default"] for one in api.items(MODEL)] == [False, True]


def test_cancelling_an_operation_cancels_its_run(api: Api) -> None:
    answer = api.client.post(f"/api/v1{TRAINING}")
    operation = answer.headers["Location"]
    while not any(task["state"] == "EXECUTING" for run in api.items(TRAINING)[:1] for task in run["tasks"]):
        assert api.client.get(operation).json()["state"] in ("pending", "running")
        time.sleep(0.05)
    api.client.post(f"{operation}/cancel")
    while api.client.get(operation).json()["state"] == "running":
        time.sleep(0.05)
    assert api.client.get(operation).json()["state"] == "cancelled"
    while (run := api.items(TRAINING)[0])["state"] == "EXECUTING":
        time.sleep(0.05)
    assert run["state"] == "CANCELLED"
    resumed = api.run(operation.removeprefix("/api/v1") + "/resume")
    assert resumed["state"] == "succeeded", resumed["error"]
    assert [(one["attempt"], one["state"]) for one in api.items(TRAINING)[:2]] == [
        (2, "SUCCEEDED"),
        (1, "CANCELLED"),
    ]


def test_a_second_environment(api: Api) -> None:
    api.done("/spokes", {"spoke": "pudo", "environment": "STAGING"})
    assert api.items("/spokes/pudo/models", environment="STAGING") == []
    assert [row["environment"] for row in api.items("/overview")] == ["DEV", "STAGING"]
    assert {item["state"] for item in api.get("/hub/plan")["objects"]} == {"present"}


@pytest.mark.parametrize("name", ["v1-2", "release candidate", "a/b", "..", "100%", "=2F"])
def test_any_name_of_the_account_is_found_and_promoted(api: Api, name: str) -> None:
    source = api.client.app.state.domains.hub._source
    model = "SPOKEHUB.MODEL_REGISTRY_DEV.PUDO__CAPACITY_MODEL"
    default = next(one["version"] for one in api.items(MODEL) if one["is_default"])
    source.query(f'ALTER MODEL {model} ADD VERSION "{name}" FROM MODEL {model} VERSION {quote(default)}')
    source.query(f'CREATE VIEW SPOKEHUB.FEATURE_STORE_DEV."PUDO__{name}${name}" AS SELECT 1 AS A')
    api.read()
    view = api.get(path("/spokes/pudo/feature-views/{}", f"PUDO__{name}"), version=name)
    assert (view["name"], view["version"], [one["name"] for one in view["columns"]]) == (
        f"PUDO__{name}", name, ["A"],
    )  # fmt: skip
    address = path(MODEL + "/{}", name)
    assert api.get(address)["version"] == name
    result = api.done(f"{address}/promote")
    assert (result["version"], result["replaced"]) == (name, default)
    assert [one["version"] for one in api.items(MODEL) if one["is_default"]] == [name]
    assert api.refused(f"{address}/promote") == (409, "already_default")
    page = api.client.get("/spokes/pudo/models?environment=DEV", headers={"accept": "text/html"})
    assert page.status_code == 200
    sent = api.client.post(
        path("/spokes/pudo/models/PUDO__CAPACITY_MODEL/versions/{}/promote", default),
        data={"environment": "DEV"}, headers={"accept": "text/html"},
    )  # fmt: skip
    assert sent.status_code == 200
    while not api.get(path(MODEL + "/{}", default))["is_default"]:
        time.sleep(0.05)


def test_no_value_breaks_what_is_there(api: Api) -> None:
    known = {
        "spoke": "pudo", "graph": "TRAINING_DAG", "model": "PUDO__CAPACITY_MODEL",
        "run_id": api.items(TRAINING)[0]["run_id"], "operation_id": api.get("/operations")["items"][0]["id"],
        "version": api.items(MODEL)[0]["version"], "name": "PUDO__TEMPORAL_FEATURES",
    }  # fmt: skip
    document = api.client.get("/openapi.json").json()
    answered = [(one, one.send(api.client)) for one in requests(document, known) if one.method == "GET"]
    assert len(answered) > 500
    assert [one for one, answer in answered if answer.status_code not in (200, 404, 422)] == []
