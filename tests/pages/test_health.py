"""The pages of runs: what they show of a filter, what they refuse, and that they stay small."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
from html_document import parse
from sample import sample
from sample_account import now
from sample_application import TestClient, application
from sample_health import Place, health

from app.charts.runs import by_day, durations
from app.charts.tiles import picture
from services.training.types import Task
from tests.services.health.filling import NoGraphs, Operations

GRAPH = "/spokes/pudo/graphs/TRAINING_DAG"


def rows(page):
    return page.one("table", cls="runs-table").one("tbody").all("tr")


def test_conditions_are_chips_that_can_be_taken_away(read):
    page = read("/runs?spoke=tides&state_not=SUCCEEDED&environment=PROD&environment=DEV")
    assert {row.all("td")[1].text for row in rows(page)} == {"FAILED"}
    chips = {chip.text: chip.one("a").attributes["href"] for chip in page.all("li", cls="chip")}
    assert chips == {
        "Spoke tides ×": "/runs?state_not=SUCCEEDED&environment=PROD&environment=DEV",
        "State is not SUCCEEDED ×": "/runs?spoke=tides&environment=PROD&environment=DEV",
        "Environment PROD ×": "/runs?spoke=tides&state_not=SUCCEEDED&environment=DEV",
        "Environment DEV ×": "/runs?spoke=tides&state_not=SUCCEEDED&environment=PROD",
    }
    assert "ValueError: no levels for 17 gauges" in rows(page)[0].text


def test_the_form_adds_a_condition_to_the_address(client):
    sent = client.get("/runs?spoke=tides&state=&add=duration&not=1&value=10m..", follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/runs?spoke=tides&duration_not=10m..")


def test_what_is_not_understood_is_marked_with_its_reason_and_kept(read):
    page = read("/runs?duration=soon&spoke=tides&sort=size", 422)
    field = page.one("input", name="value")
    assert (field.attributes["value"], field.attributes["aria-invalid"]) == ("soon", "true")
    assert "Write a range" in page.one(id="draft-fault").text
    bad = [chip.text for chip in page.all("li", cls="chip-bad")]
    assert len(bad) == 2
    assert "Runs are not sorted by 'size'" in bad[1]
    assert rows(page)


def test_lists_are_sorted_and_paged(read):
    page = read("/runs?sort=-duration")
    (chosen,) = [th for th in page.all("th") if "aria-sort" in th.attributes]
    assert (chosen.attributes["aria-sort"], chosen.one("a").attributes["href"]) == (
        "descending",
        "/runs?sort=duration",
    )
    more = page.one("div", cls="pager").all("a")[-1].attributes["href"]
    second = read(more)
    assert not {row.attributes["id"] for row in rows(page)} & {row.attributes["id"] for row in rows(second)}


def test_a_search_is_saved_renamed_and_deleted(client):
    saved = client.post(
        "/runs/views",
        data={"name": " Slow  ones", "query": "duration=10m..&cursor=x"},
        follow_redirects=False,
    )
    assert saved.headers["location"] == "/runs?duration=10m.."
    page = parse(client.get("/runs").text)
    (line,) = page.all("div", cls="menu-line")
    assert line.one("a").text == "Slow ones"
    taken = client.post("/runs/views", data={"name": "Slow ones", "query": ""})
    assert taken.status_code == 409
    assert (
        parse(taken.text).one("input", placeholder="Name of this search").attributes["value"] == "Slow ones"
    )
    rename, delete = (form.attributes["action"] for form in line.all("form"))
    client.post(rename, data={"name": "Slow"})
    assert parse(client.get("/runs").text).one("div", cls="menu-line").one("a").text == "Slow"
    client.post(delete)
    assert not parse(client.get("/runs").text).all("details", cls="menu-more")


def test_runs_that_failed_are_chosen_and_retried(client):
    page = parse(client.get("/runs?state=FAILED").text)
    values = [box.attributes["value"] for box in page.all("input", name="runs")]
    assert json.loads(values[0])[:3] == ["tides", "PROD", "DAILY"]
    sent = client.post("/runs/retry", data={"runs": values[:2]}, follow_redirects=False)
    assert sent.headers["location"] == "/operations/op-training"
    assert client.post("/runs/retry", data={}).status_code == 422
    assert client.post("/runs/retry", data={"runs": ["x"]}).status_code == 422


def test_a_configuration_is_edited_checked_and_kept_when_refused(client):
    form = parse(client.get(GRAPH).text).all("textarea", name="config")
    assert len(form) == 1
    sent = client.post(
        f"{GRAPH}/run", data={"environment": "DEV", "config": '{"a": 1}'}, follow_redirects=False
    )
    assert sent.status_code == 303
    for text, why in (("{", "Expecting"), ("[1]", "no JSON object"), ('{"request_id": 1}', "own field")):
        refused = client.post(f"{GRAPH}/run", data={"environment": "DEV", "config": text})
        page = parse(refused.text)
        assert refused.status_code == 422
        assert page.one("textarea", name="config").text == text
        assert why in page.one("p", role="alert").text
    refused = client.post(f"{GRAPH}/schedule", data={"environment": "DEV", "schedule": "soon"})
    assert refused.status_code == 422
    assert parse(refused.text).one("input", name="schedule").attributes["value"] == "soon"


def test_the_grid_marks_each_task_of_each_run(read):
    page = read(GRAPH)
    table = page.one("table", cls="run-grid")
    cells = {
        row.one("th").text: [cell.text for cell in row.all("td")] for row in table.one("tbody").all("tr")
    }
    assert len(table.one("thead").all("a")) == 12
    assert cells["TRAIN_MODEL"].count("✗") == 1
    assert cells["SEND_ALERT"].count("–") == 11
    assert page.one(id="live").attributes["hx-trigger"] == "every 15s"
    running = read(GRAPH, options={"run": "EXECUTING"})
    assert running.one(id="live").attributes["hx-trigger"] == "every 1s"
    assert [form.attributes["action"].rpartition("/")[2] for form in running.one("main").all("form")] == [
        "run", "run", "cancel", "suspend", "schedule",
    ]  # fmt: skip


def test_the_run_says_what_is_different_from_the_last_good_one(read):
    page = read(f"{GRAPH}/runs/01c4e2a7-0001-2f5a-0000-4d5500a2b3c6", options={"run": "FAILED"})
    changed = [row.all("td")[0].text for row in page.one(id="difference").one("tbody").all("tr")]
    assert changed == ["PROMOTE_MODEL", "CHECK_MODEL_QUALITY"]


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A graph of 1,000 tasks with 30 runs, and 50 spokes with long names."""
    from services.core.revision import Revision
    from services.costs.repository import Credits
    from services.db.engine import Database
    from services.db.records import Record
    from services.health.service import Health
    from services.history import History

    folder = tmp_path_factory.mktemp("wide")
    history = History(folder / "history.duckdb", Revision())
    history.open()
    database = Database(f"sqlite:///{folder / 'catalogue.sqlite'}")
    Record.metadata.create_all(database.engine)
    place = Place(history, database, now())
    tasks = {f"TASK_{number:04d}": {"at": float(number % 40)} for number in range(1000)}
    tasks["TASK_0777"] = {"state": "FAILED", "message": "ValueError: 'x'", "at": 3.0}
    place.run(timedelta(hours=1), "FAILED", graph="WIDE", run_id="wide-0", tasks=tasks)
    with history.write() as db:
        for back in range(1, 30):
            more = f"concat('wide-', {back})"
            for table in ("graph_runs", "task_runs"):
                db.execute(
                    f"INSERT INTO {table} SELECT * REPLACE ({more} AS run_id,"
                    f" scheduled_at - INTERVAL {back} DAY AS scheduled_at,"
                    f" started_at - INTERVAL {back} DAY AS started_at,"
                    f" completed_at - INTERVAL {back} DAY AS completed_at) FROM {table} WHERE run_id = 'wide-0'"
                )
    for number in range(50):
        place.run(timedelta(minutes=number), spoke=f"spoke_{number}_{'x' * 200}", graph="G" * 250)
    place.roll_up()
    services = sample()
    services.health = Health(history, database, NoGraphs(), Operations(), Credits(history).of_run, now)
    yield TestClient(application(services), headers={"accept": "text/html"})
    history.close()
    database.close()


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/spokes/tides/graphs/WIDE", 350_000),
        ("/spokes/tides/graphs/WIDE?runs=120&order=failed", 350_000),
        ("/spokes/tides/graphs/WIDE?tasks_from=80", 350_000),
        ("/spokes/tides/graphs/WIDE/runs/wide-0", 300_000),
        ("/spokes/tides/graphs/WIDE/runs/wide-0?tasks_from=0", 450_000),
        ("/runs", 200_000),
    ],
)
def test_a_page_stays_small_whatever_there_is(wide, address, most):
    answer = wide.get(address)
    assert answer.status_code == 200
    assert len(answer.content) < most
    page = parse(answer.text)
    if "order=failed" in address:
        assert page.one("table", cls="run-grid").one("tbody").all("tr")[0].one("th").text == "TASK_0777"
    if address.endswith("/wide-0"):
        assert len(page.all("div", cls="gantt-row")) == 61
        assert page.all("div", cls="gantt-row")[0].all("span")[0].text
        assert "60 of 1 000 tasks" in page.text
        assert "TASK_0777" in [row.all("td")[0].text for row in page.all("tr") if row.all("td")]


def test_figures_are_at_most_60_kilobytes():
    one = health(sample().training)
    found = one.graph("tides", "PROD", "DAILY")
    many = tuple(found.recent) * 40
    for chart in (by_day(one.daily(_nothing())), durations(many, found.statistics)):
        assert 0 < len(json.dumps(chart.figure)) < 60_000


def _nothing():
    from services.health.asked import require

    return require([("time", "90d")], now())


def test_a_large_graph_is_tiles_in_its_layers():
    tasks = [Task("R", "root"), *(Task(f"T{n}", "task", ("R",)) for n in range(70)), Task("END", "finalizer")]
    found = picture(tasks, {})
    places = {tile.name: tile.x for tile in found.tiles}
    assert found.drawing is None
    assert places["R"] < min(places[f"T{n}"] for n in range(70))
    assert max(places[f"T{n}"] for n in range(70)) < places["END"]
    assert len({(tile.x, tile.y) for tile in found.tiles}) == 72
    assert picture(tasks[:10], {}).drawing is not None


def test_long_names_are_kept_whole_in_addresses(read):
    assert read(f"/runs?graph={quote('a/b?c=d&é')}").one("li", cls="chip").text == "Graph a/b?c=d&é ×"
