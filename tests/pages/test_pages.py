"""Every page over the sample: it parses, shows the rows, and asks nothing of another host."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from html_document import parse
from sample import sample
from sample_account import MISSING, RUN_ID, Hub, Overview
from sample_application import TestClient, application
from sample_runs import Training

from app.pages.graphs import first_error
from app.pages.render import macros
from services.health.types import TaskChange
from services.hub.types import HubObject
from services.operations.types import OperationFilter, Page
from services.overview.types import SpokeGlance
from services.predictions.types import PredictionPage, Problem
from services.snowflake.preflight import RightsMissing
from services.training.types import Task, TaskRun

RUN = f"/spokes/pudo/graphs/TRAINING_DAG/runs/{RUN_ID}"
PAGES = {
    "/": "Overview",
    "/spokes/pudo": "PUDO capacity",
    "/spokes/pudo/features": "PUDO capacity",
    "/spokes/pudo/graphs": "PUDO capacity",
    RUN: "PUDO capacity",
    "/spokes/pudo/models": "PUDO capacity",
    "/spokes/pudo/predictions": "PUDO capacity",
    "/spokes/pudo/alerts": "PUDO capacity",
    "/failures": "Failures",
    "/health/features": "Features",
    "/health/features?state=failed": "Features",
    "/failures?state=all": "Failures",
    "/failures/f3": "Failure",
    "/runs": "Runs",
    "/spokes/pudo/graphs/TRAINING_DAG": "PUDO capacity",
    "/operations": "Operations",
    "/operations/op-setup": "Set up the example",
    "/simulation": "Simulation",
    "/hub": "Hub",
}
SAMPLES = [
    {},
    {"setup": "running", "run": "EXECUTING"},
    {"setup": "failed", "run": "FAILED"},
    {"setup": "absent", "empty": "1"},
]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("options", SAMPLES, ids=["done", "running", "failed", "empty"])
def test_every_page_parses_and_is_safe(read, address, options):
    status = 404 if options.get("empty") and address.startswith(("/spokes/", "/failures/")) else 200
    page = read(address, status, options=options)
    if not options:
        assert page.one("h1").text == PAGES[address]
    assert len(page.all("h1")) == 1
    assert page.all("main", id="main")
    for node in page.all():
        for name, value in node.attributes.items():
            assert not name.startswith("on"), f"inline handler {name} in <{node.tag}>"
            assert not name.startswith("hx-on")
            assert name != "style", f"inline style in <{node.tag}>"
            if name in ("src", "href", "action", "hx-get", "hx-post"):
                assert re.match(r"(/(?!/)|#|data:)", value), f"{name} {value}"
        if node.tag == "script":
            inline = node.attributes.get("type") == "application/json"
            assert inline or (node.text == "" and node.attributes.get("src"))
        if node.tag == "style":
            pytest.fail("inline style sheet")


@pytest.mark.parametrize("options", SAMPLES, ids=["done", "running", "failed", "empty"])
def test_no_dead_links(options):
    """Every local address that a page links to is served; the REST API's twins are another's."""
    client = TestClient(application(sample(options)), headers={"accept": "text/html"})
    seen, waiting = set(), ["/"]
    while waiting:
        address = waiting.pop()
        if address in seen or address.startswith(("/api/", "/docs")):
            continue
        seen.add(address)
        response = client.get(address)
        assert response.status_code == 200, f"{address}: {response.status_code}"
        if "text/html" in response.headers["content-type"] and len(seen) < 120:
            for link in parse(response.text).all("a"):
                target = (link.attributes.get("href") or "").partition("#")[0]
                # A point's address differs in the point only; two of a hundred are enough.
                if target and ("point=" not in target or target.endswith("PUDO_0001")):
                    waiting.append(target)
    assert len(seen) > (8 if not options.get("empty") else 4)


def test_overview_shows_each_spoke_and_environment(read):
    rows = read("/").one("section", aria_label="Spokes at a glance").one("tbody").all("tr")
    cells = [[cell.text for cell in row.all("td")] for row in rows]
    assert [row[0] for row in cells] == [
        "PUDO capacity DEV Last-mile analytics",
        "PUDO capacity STAGING Last-mile analytics",
    ]
    assert cells[0][2:5] == ["97 % 99 % in 30 d", "31 s / 44 s 1.6 × usual", "2 open"]
    assert cells[0][6:8] == ["0.67 × naive 7 alerts", "1.23"]
    assert len(rows[0].one("svg", cls="strip").all("a")) == 30
    assert cells[1][1] == "no runs yet"


def lines(count: int) -> tuple[SpokeGlance, ...]:
    """A line in each environment for so many spokes."""
    return tuple(
        SpokeGlance(
            f"spoke_{n:02d}", f"The {n}th of many spokes with a long name", "Team", environment,
            features_lag_seconds=90.0, features_target_seconds=60.0 if n == 4 else 3600.0,
            open_failures=2 if n < 3 else 0, run_p50=20.0, baseline_p50=10.0 if n == 5 else 20.0,
            open_alerts=n == 6 and environment == "DEV",
        )
        for n in range(count)
        for environment in ("DEV", "PROD")
    )  # fmt: skip


def test_the_overview_answers_first_and_shows_the_worst_of_many_lines(read, monkeypatch):
    monkeypatch.setattr(Overview, "glance", lambda self, spoke=None: lines(50))
    page = read("/")
    assert page.one("p", cls="glance-sum").text == (
        "12 open failures in 6 of 100 environments features late in 2 slower than usual in 2 1 open alert"
    )
    tabs = page.one("nav", aria_label="Environment").all("a")
    assert [(tab.text, tab.attributes["href"]) for tab in tabs] == [
        ("All 100", "/"), ("DEV 50", "/?environment=DEV"), ("PROD 50", "/?environment=PROD")
    ]  # fmt: skip
    table = page.one("section", aria_label="Spokes at a glance")
    assert len(table.one("tbody").all("tr")) == 50
    pager = table.one("div", cls="pager")
    assert (pager.text, pager.one("a").attributes["href"]) == ("The worst 50 of 100 Show all", "/?lines=all")
    whole = read("/?lines=all").one("section", aria_label="Spokes at a glance")
    assert len(whole.one("tbody").all("tr")) == 100
    production = read("/?environment=PROD")
    assert production.one("p", cls="glance-sum").text == (
        "6 open failures in 3 of 50 environments features late in 1 slower than usual in 1"
    )
    assert not production.all("div", cls="pager")


def test_the_overview_says_that_nothing_is_wrong(read, monkeypatch):
    monkeypatch.setattr(Overview, "glance", lambda self, spoke=None: lines(4)[6:])
    assert read("/").one("p", cls="glance-sum").text == "Nothing is wrong in 2 environments."


def test_the_overview_tells_of_what_the_hub_shares(read, monkeypatch):
    monkeypatch.setattr(Overview, "glance", lambda self, spoke=None: lines(4)[6:])
    monkeypatch.setattr(Overview, "hub_failures", lambda self: {"DEV": 1})
    verdict = read("/").one("p", cls="glance-sum")
    assert verdict.text == "1 open failure of the hub’s shared views"
    assert verdict.one("a").attributes["href"] == "/failures?spoke=hub"
    assert "Nothing is wrong" in read("/?environment=PROD").one("p", cls="glance-sum").text


def test_a_wide_graph_among_the_graphs_is_drawn_as_tiles(read, monkeypatch):
    tasks = (Task("W", "root"), *(Task(f"W$T_{n:03d}", "task", ("W",)) for n in range(999)))
    ran = tuple(TaskRun(task.name, "FAILED" if task.name.endswith("7") else "SUCCEEDED") for task in tasks)
    (known, *_) = sample().training.graphs("pudo", "DEV")
    wide = replace(known, name="W", tasks=tasks, runs=(replace(known.runs[0], tasks=ran),))
    monkeypatch.setattr(Training, "graphs", lambda *asked: (wide,))
    page = read("/spokes/pudo/graphs")
    assert len(page.one("div", cls="tiles").all("rect")) == 1000
    assert not page.all("g", cls="dag-box")
    (row,) = page.one("section", id="graph-W").one("tbody").all("tr")
    assert row.all("td")[2].text == "1 000 , 100 failed"


def test_many_tasks_that_did_not_run_are_one_line_of_the_difference():
    change = partial(TaskChange, run_now=None, queue_before=None, queue_now=None)
    skipped = tuple(change(f"G$S_{n}", 2.0, missing="was SKIPPED") for n in range(20))
    item = SimpleNamespace(
        good=SimpleNamespace(run_id="7", scheduled_at=None),
        version_before=1, version_now=1, config=(), returned=(), nothing=False,
        tasks=(*skipped, TaskChange("G$SLOW", 1.0, 3.0, 0.1, 0.1)),
    )  # fmt: skip
    page = parse(f"<main>{macros(True).difference(item, 'pudo', 'DEV', 'G')}</main>")
    assert [row.all("td")[0].text for row in page.one("tbody").all("tr")] == ["SLOW"]
    assert page.all("p", cls="card-body")[0].text == (
        "20 tasks SKIPPED: S_0, S_1, S_2, S_3, S_4, S_5, S_6, S_7, S_8, S_9, S_10, S_11 and 8 more"
    )


def test_a_large_plan_shows_the_first_of_what_differs_and_of_each_kind(read, monkeypatch):
    plan = sample().hub.plan()
    many = tuple(HubObject("ROLE", f"ROLE_{n:03d}", "missing" if n < 60 else "present") for n in range(130))
    monkeypatch.setattr(Hub, "plan", lambda self: replace(plan, objects=many))
    page = read("/hub")
    differs, declared = (page.one("section", id=one) for one in ("differs", "declared"))
    for section, rows, told in (
        (
            differs,
            differs.one("tbody").all("tr"),
            "and 10 more; choose a spoke below for its own. All of them as JSON",
        ),
        (declared, declared.all("li"), "The first 50 of 70. All of them as JSON"),
    ):
        assert len(rows) == 50
        assert [one.text for one in section.all("p", cls="card-more")] == [told]
        assert ["open" in one.attributes for one in section.all("details")] == [False]


def test_setup_is_followed_until_it_ends(read):
    page = read("/", options={"setup": "running"})
    live = page.one("div", id="live")
    assert live.attributes["hx-get"] == "/"
    steps = live.all("li", cls="step")
    assert len(steps) == 11
    assert [step.all("a") != [] for step in steps] == [True] * 11
    assert "TRAIN_MODEL is executing" in steps[5].text
    assert not page.all("section", aria_label="Spokes at a glance")
    done = read("/")
    assert "hx-get" not in done.one("div", id="live").attributes


def test_failed_setup_says_why_and_can_be_resumed(read):
    page = read("/", options={"setup": "failed"})
    problem = page.one("div", cls="problem")
    assert "the training split is empty" in problem.text
    assert "Look at the run" in problem.text
    assert problem.one("form").attributes["action"] == "/operations/op-setup/resume"


def test_nothing_yet_offers_the_example(read):
    page = read("/", options={"setup": "absent", "empty": "1"})
    assert page.one("form").attributes["action"] == "/example"


def test_features_show_columns_and_freshness(read):
    page = read("/spokes/pudo/features")
    cards = page.one("main").all("section", cls="card")
    assert [card.one("h2").text for card in cards] == [
        "PUDO__HISTORICAL_FEATURES V1",
        "PUDO__GEOSPATIAL_FEATURES V1",
        "PUDO__TEMPORAL_FEATURES V1",
        "SHARED__CALENDAR V1",
    ]
    facts = [
        dict(zip([t.text for t in c.all("dt")], [d.text for d in c.all("dd")], strict=True)) for c in cards
    ]
    assert [one["Owner"] for one in facts] == ["pudo", "pudo", "pudo", "hub"]
    assert [one["Consumers"] for one in facts[2:]] == [
        "pudo in use 1 model version · 1 dataset version",
        "pudo in use 2 model versions",
    ]
    columns = [row.all("td")[0].text for row in cards[1].one("tbody").all("tr")]
    assert columns[:3] == ["PUDO_ID key", "UPDATED_AT timestamp", "COMPETITORS_1KM"]
    assert "4 min of 1 h" in cards[1].all("dl")[0].text
    assert "WHERE 1 < 2" in cards[0].one("pre").text


def test_the_hub_lists_its_features_with_their_consumers(read):
    rows = [r.all("td") for r in read("/hub").one("section", id="shared-features").one("tbody").all("tr")]
    assert [(row[0].one("code").text, row[3].text, row[4].text) for row in rows] == [
        ("SHARED__CALENDAR", "none", "pudo in use 2 model versions"),
        ("SHARED__NEIGHBOURHOOD", "2 d of 1 d", "nobody yet"),
    ]
    elsewhere = read("/hub?environment=PROD").one("section", id="shared-features")
    assert elsewhere.one("form").attributes["action"] == "/hub/features/deploy"
    assert "No shared feature view is deployed in PROD" in elsewhere.text


def test_run_shows_states_times_and_return_values(read):
    page = read(RUN)
    rows = page.one("table").one("tbody").all("tr")
    table = {row.all("td")[0].text: row for row in rows}
    assert sorted(table) == [
        "CHECK_MODEL_QUALITY",
        "CLEANUP",
        "PREPARE_DATA",
        "PROMOTE_MODEL",
        "SEND_ALERT",
        "TRAIN_MODEL",
    ]
    assert table["SEND_ALERT"].one("span", cls="state").text == "SKIPPED"
    assert table["CHECK_MODEL_QUALITY"].one("pre").text == "PROMOTE_MODEL"
    boxes = page.all("g", cls="dag-box")
    assert len(boxes) == 6
    assert [box.one("title").text.split(".")[0] for box in boxes if "dag-dim" in box.attributes["class"]] == [
        "SEND_ALERT: SKIPPED"
    ]
    assert len(page.all("div", cls="gantt-row")) == 7


def test_failed_run_names_the_line_that_matters_first(read):
    page = read(RUN, options={"run": "FAILED"})
    problem = page.one("div", cls="problem")
    assert problem.one("strong").text == "ValueError: The training split is empty."
    assert "100357" in problem.text
    forms = [form.attributes["action"].rpartition("/")[2] for form in page.one("main").all("form")]
    assert forms == ["retry", "again"]


def test_a_run_shows_its_attempts_and_the_last_one_alone_is_retried(read):
    page = read(f"{RUN}?attempt=1", options={"run": "CANCELLED"})
    facts = {row.one("dt").text: row.one("dd") for row in page.one("dl").all("div")}
    assert facts["Attempt"].one("strong").text == "1"
    (link,) = facts["Attempt"].all("a")
    assert (link.text, link.attributes["href"]) == ("2", f"{RUN}?environment=DEV&attempt=2")
    assert [form.attributes["action"].rpartition("/")[2] for form in page.one("main").all("form")] == [
        "again"
    ]


def test_running_run_polls_and_finished_one_does_not(read):
    assert "hx-trigger" in read(RUN, options={"run": "EXECUTING"}).one(id="live").attributes
    assert "hx-trigger" not in read(RUN).one(id="live").attributes


def test_models_mark_the_default_and_offer_the_others(read):
    rows = read("/spokes/pudo/models").one("table", cls="stacked").one("tbody").all("tr", cls="chosen")
    assert len(rows) == 1
    assert rows[0].all("td")[0].text == "V20250706_0602 default CHAMPION"
    forms = read("/spokes/pudo/models").one("main").all("form")
    assert len(forms) == 5
    assert forms[0].one("input").attributes["value"] == "DEV"


def test_versions_of_a_classifier_are_compared_by_its_own_metrics():
    services = sample()
    (model,) = services.registry.models("pudo", "DEV")
    metrics = {"log_loss": 0.522, "roc_auc": 0.752, "naive_log_loss": 0.6}
    version = replace(model.versions[0], metrics=metrics, naive_metrics={})
    services.registry.models = lambda spoke, environment: (replace(model, versions=(version,)),)
    page = parse(
        TestClient(application(services), headers={"accept": "text/html"}).get("/spokes/pudo/models").text
    )
    shown = {
        name: page.one("td", data_label=name).text
        for name in ("Log loss", "ROC AUC", "Naive log loss", "Against naive")
    }
    assert list(shown.values()) == ["0.522", "0.752", "0.600", "0.87 ×"]


def test_predictions_show_a_page_of_points_by_risk(read):
    page = read("/spokes/pudo/predictions?day=2025-06-28")
    table = page.one("section", cls="ranking")
    rates = [int(row.all("td")[2].text.split()[0]) for row in table.one("tbody").all("tr")]
    assert len(rates) == 50
    assert rates == sorted(rates, reverse=True)
    assert table.one("div", cls="pager").text == "The first 50 of 100 Next page"
    following = read(table.one("div", cls="pager").one("a").attributes["href"])
    more = following.one("section", cls="ranking").one("tbody").all("tr")
    assert max(int(row.all("td")[2].text.split()[0]) for row in more) <= rates[-1]
    assert following.one("div", cls="pager").text == "First page"
    chosen = [item for item in page.all("option") if "selected" in item.attributes]
    assert [item.text for item in chosen] == ["CAPACITY", "Sat 28 Jun 2025"]
    assert len(page.all("div", cls="chart")) == 8
    for chart in page.all("section", cls="chart-card"):
        assert chart.one("h2").text
        assert chart.one("table").one("tbody").all("tr")


def test_predictions_that_were_not_read_say_so_and_what_was_read_before_stays():
    services = sample()
    whole = services.predictions.page("pudo", "DEV")
    services.predictions.page = lambda *where, **more: PredictionPage(whole.prediction)
    page = parse(TestClient(application(services)).get("/spokes/pudo/predictions").text)
    empty = page.one("div", cls="empty-state")
    assert empty.one("p").text == "The predictions of DEV were not read from the account yet."
    sent = {item.attributes["name"]: item.attributes["value"] for item in empty.all("input")}
    assert sent == {"part": "spoke:pudo:DEV", "back": "/spokes/pudo/predictions?environment=DEV"}

    problem = Problem("FORECASTS has no column 'NAIVE'", "column_missing", "Add it.")
    services.predictions.page = lambda *where, **more: replace(whole, problem=problem)
    page = parse(TestClient(application(services)).get("/spokes/pudo/predictions").text)
    told = page.one("div", id="not-read")
    assert told.one("strong").text == "FORECASTS has no column 'NAIVE'"
    assert told.all("p")[0].text == "Add it."
    assert len(page.one("section", cls="ranking").one("tbody").all("tr")) == 50


def test_probabilities_show_their_curves_and_the_threshold(read):
    page = read("/spokes/pudo/predictions?prediction=FAILURE&threshold=0.3")
    shown = [node.attributes["data-figure"] for node in page.all("div", cls="chart")]
    assert [name for name in shown if name.startswith(("cal", "roc", "prec", "lift", "place"))] == [
        "calibration-data",
        "roc-data",
        "precision-recall-data",
        "lift-data",
    ]
    table = page.one("table", cls="confusion")
    assert [cell.text.replace("\u202f", "") for cell in table.one("thead").all("th")] == [
        "",
        "Came true",
        "Did not",
        "Rate",
    ]
    assert page.one("h2", id="threshold-title").text == "At the threshold 0.3"
    link = page.one("section", cls="ranking").one("tbody").all("a")[0].attributes["href"]
    assert link.count("key=") == 2
    assert "key=R%2F" in link
    assert read(link.partition("#")[0]).one("div", id="entity").one("h2").text


def test_a_spoke_without_predictions_has_no_tab_of_them(read):
    services = sample()
    (spoke,) = services.spokes.all()
    without = replace(spoke, environments=tuple(replace(here, predictions=()) for here in spoke.environments))
    services.spokes.all = lambda: (without,)
    page = parse(TestClient(application(services)).get("/spokes/pudo").text)
    tabs = [link.text for link in page.one("nav", cls="tabs").all("a")]
    assert tabs == ["Overview", "Features", "Graphs", "Models"]


def test_alerts_say_in_the_contracts_words_what_they_mean(read):
    page = read("/spokes/pudo/alerts")
    card = page.one("section", cls="card")
    assert card.one("h2").text == "Points that will be too full"
    assert card.one("p").text.startswith("high: 80 % or more; over: 100 % or more. ")
    assert page.one("tbody").all("tr")


def test_simulation_marks_the_day_and_names_the_next_step(read):
    page = read("/simulation")
    assert re.fullmatch(r"Evening of \w{3} \d{2} \w{3}", page.one("button", cls="btn-lg").text)
    assert page.one("p", cls="next-title").text.startswith("Next: the evening of ")
    today = page.one("div", cls="today")
    assert len(today.all("i", cls="done")) == 2
    assert len(page.all("div", cls="seeded")) == 36
    assert "Set up the example" in page.one("div", cls="last-step").text


def test_reset_refused_keeps_what_was_typed(client):
    response = client.post("/simulation/reset", data={"confirm": "rest"})
    assert response.status_code == 422
    field = parse(response.text).one("input", id="confirm")
    assert field.attributes["value"] == "rest"
    assert "is-invalid" in field.attributes["class"]


def test_hub_says_which_rights_are_missing_and_how_they_are_given(read):
    page = read("/hub")
    section = page.one("section", aria_label="Missing rights")
    statement = "GRANT MODIFY ON WAREHOUSE SPOKEHUB_WH TO ROLE SPOKEHUB_ADMIN;"
    assert "MODIFY ON WAREHOUSE SPOKEHUB_WH" in section.text
    assert page.one("pre", id=section.one("button").attributes["data-copy"]).text == statement
    once = page.one("section", aria_label="Rights, once")
    assert once.one("button").attributes["data-copy"] == once.one("pre").attributes["id"]


def test_an_error_page_lists_missing_rights(client, monkeypatch):
    def refuse(hub, actor):
        raise RightsMissing("POOR", MISSING)

    monkeypatch.setattr(Hub, "start_apply", refuse)
    response = client.post("/hub/apply", headers={"accept": "text/html"})
    assert response.status_code == 403
    page = parse(response.text)
    assert page.one("ul", cls="missing-rights").one("code").text == MISSING[0].right
    assert page.one("pre", id="missing-1").text == MISSING[0].statement


def test_hub_lists_what_differs_first(read):
    page = read("/hub")
    kinds = page.one("section", aria_label="What differs").all("details")
    states = [[row.one("span", cls="state").text for row in kind.one("tbody").all("tr")] for kind in kinds]
    assert [(kind.one("summary").text, told) for kind, told in zip(kinds, states, strict=True)] == [
        ("Schema 1 foreign, 3 missing", ["FOREIGN", "MISSING", "MISSING", "MISSING"]),
        ("Warehouse 1 changed", ["CHANGED"]),
    ]
    kinds = page.one("section", aria_label="As declared").all("details")
    assert sum(len(kind.all("li")) for kind in kinds) == sum(
        item.state == "present" and item.spoke is None for item in sample().hub.plan().objects
    )


def test_hub_shows_the_objects_of_the_spoke_that_is_chosen(read):
    page = read("/hub")
    rows = [
        [cell.text.strip() for cell in row.all("td")]
        for row in page.one("section", id="places").one("tbody").all("tr")
    ]
    assert rows == [
        ["the hub itself", "", "9", "3"],
        ["pudo", "PROD", "1", "1"],
        ["pudo", "DEV", "1", "none"],
        ["pudo", "STAGING", "1", "none"],
    ]
    chosen = read("/hub?spoke=pudo")
    names = [item.one("code").text for item in chosen.one("section", id="declared").all("li")]
    assert names == ["SPOKEHUB.PUDO_DEV", "SPOKEHUB.PUDO_STAGING"]
    [different] = chosen.one("section", aria_label="What differs").one("tbody").all("tr")
    assert different.one("code").text == "SPOKEHUB.PUDO_PROD"


@pytest.mark.parametrize(
    ("address", "status", "message"),
    [
        ("/spokes/nobody", 404, "There is no spoke nobody."),
        ("/nowhere", 404, "There is no page /nowhere."),
        ("/spokes/pudo?environment=TEST", 422, "There is no environment TEST."),
        ("/hub?spoke=nobody", 404, "No spoke nobody is onboarded"),
        ("/spokes/pudo/predictions?day=tomorrow", 422, "tomorrow is no day."),
        ("/operations/none", 404, "There is no operation none."),
        ("/operations?state=odd", 422, "There is no operation state odd."),
    ],
)
def test_errors_are_pages(read, address, status, message):
    page = read(address, status)
    assert page.one("p", cls="error-status").text == str(status)
    assert page.one("p", cls="lead").text == message


def test_conflict_is_a_page_with_the_way_back(client):
    headers = {"referer": "http://testserver/spokes/pudo/predictions?environment=STAGING"}
    response = client.post("/spokes/pudo/predictions/run", data={"environment": "STAGING"}, headers=headers)
    assert response.status_code == 409
    page = parse(response.text)
    assert page.one("p", cls="lead").text == "No day is pending."
    back, way = page.one("main").all("a", cls="btn")
    assert back.attributes["href"] == "/spokes/pudo/predictions?environment=STAGING"
    assert way.attributes["href"] == "/simulation"


@pytest.mark.parametrize(
    ("address", "form", "target"),
    [
        ("/example", {}, "/"),
        ("/simulation/next", {}, "/simulation"),
        ("/simulation/reset", {"confirm": "reset"}, "/operations/op-reset"),
        ("/hub/apply", {}, "/operations/op-apply"),
        ("/hub/features/deploy", {"environment": "DEV"}, "/operations/op-shared"),
        ("/operations/op-setup/cancel", {}, "/operations/op-setup"),
        ("/spokes/pudo/onboard", {"environment": "PROD"}, "/operations/op-onboard"),
        ("/spokes/pudo/features/deploy", {"environment": "DEV"}, "/operations/op-deploy"),
        ("/spokes/pudo/graphs/deploy", {"environment": "DEV"}, "/operations/op-deploy"),
        ("/spokes/pudo/graphs/TRAINING_DAG/run", {"environment": "DEV"}, "/operations/op-training"),
        (f"{RUN}/retry", {"environment": "DEV"}, "/operations/op-training"),
        (f"{RUN}/again", {"environment": "DEV"}, "/operations/op-training"),
        ("/spokes/pudo/models/M/versions/V1/promote", {"environment": "DEV"}, "/operations/op-promote"),
        ("/spokes/pudo/predictions/run", {"environment": "DEV"}, "/operations/op-predict"),
        ("/spokes/pudo/predictions/evaluate", {"environment": "DEV"}, "/operations/op-predict"),
    ],
)
def test_forms_lead_to_what_they_started(client, address, form, target):
    response = client.post(address, data=form, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, target)


def test_protected_environment_is_marked(read):
    page = read("/spokes/pudo?environment=PROD")
    assert page.one("header", cls="topbar-protected").one("a", aria_current="true").text == "PROD"
    assert "is not onboarded in PROD" in page.one("main").text


@pytest.mark.parametrize("address", PAGES)
def test_a_viewer_sees_no_button_that_would_be_refused(address):
    failed = {"setup": "failed", "run": "FAILED"}
    forms = {}
    for role in ("administrator", "viewer"):
        page = parse(TestClient(application(sample(failed), role)).get(address).text)
        forms[role] = [form for form in page.all("form") if form.attributes["method"] == "post"]
    assert forms["viewer"] == []
    read_only = ("/spokes/pudo", "/spokes/pudo/alerts", "/operations")
    assert bool(forms["administrator"]) == (address not in read_only)


def test_a_long_log_shows_its_end():
    services = sample()
    template = services.operations.log("op-setup").items[0]
    lines = [replace(template, seq=number, message=f"line {number}") for number in range(1, 2501)]
    services.operations.list = lambda where, limit=50, cursor=None: Page(())
    services.operations.log = lambda operation_id, after=0, limit=1000: Page(
        tuple(lines[after : after + limit]), str(after + limit) if after + limit < len(lines) else None
    )
    page = parse(TestClient(application(services)).get("/operations/op-setup").text)
    shown = page.one("ol", cls="log").all("li")
    assert [shown[0].one("span", cls="log-text").text, shown[-1].one("span", cls="log-text").text] == [
        "line 2101",
        "line 2500",
    ]
    assert page.one("a", cls="small").text == "2 100 earlier lines"


def test_the_log_of_a_parent_holds_its_parts_in_order_of_time():
    services = sample()
    start = services.operations.log("op-setup").items[0]
    child = services.operations.list(OperationFilter(parent="op-setup")).items[-1]
    lines = {
        "op-setup": [replace(start, seq=1, message="began"), replace(start, seq=2, message="ended")],
        child.id: [replace(start, seq=1, message="trained")],
    }
    lines["op-setup"][1] = replace(lines["op-setup"][1], at=start.at + timedelta(seconds=9))
    lines[child.id][0] = replace(lines[child.id][0], at=start.at + timedelta(seconds=3))
    services.operations.log = lambda operation_id, after=0, limit=1000: Page(
        tuple(lines.get(operation_id, ())[after:])
    )
    page = parse(TestClient(application(services)).get("/operations/op-setup").text)
    shown = page.one("ol", cls="log").all("li")
    assert [line.one("span", cls="log-text").text for line in shown] == ["began", "trained", "ended"]
    assert [line.one("span", cls="log-step").text for line in shown][1] == child.parent_step


def test_a_skipped_task_is_no_error(read):
    page = read(RUN)
    assert not page.all("div", cls="problem")
    skipped = TaskRun("A", "SKIPPED", error_code="0040003", error_message="Conditional expression was false.")
    run = sample().health.run("pudo", "DEV", "TRAINING_DAG", RUN_ID)
    assert first_error(replace(run, tasks=(skipped,))) is None


def test_by_what_it_was_requested_as_a_run_leads_to_its_own_address():
    services = sample()
    known = services.health.run
    services.health.run = lambda spoke, environment, graph, run_id, attempt=None: known(
        spoke, environment, graph, RUN_ID if run_id == "op-train" else run_id, attempt
    )
    client = TestClient(application(services))
    asked = "/spokes/pudo/graphs/TRAINING_DAG/runs/op-train?environment=DEV&tasks_from=0"
    answer = client.get(asked, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, asked.replace("op-train", RUN_ID))


def test_the_ready_example_says_where_to_look(read):
    links = read("/").one("ol", cls="ready-links").all("a")
    assert [link.attributes["href"].partition("?")[0] for link in links] == [
        "/spokes/pudo/predictions",
        "/spokes/pudo/graphs",
        "/simulation",
    ]


def test_an_environment_without_the_spoke_offers_to_onboard(read):
    page = read("/spokes/pudo/graphs?environment=PROD")
    form = page.one("main").one("form")
    assert form.attributes["action"] == "/spokes/pudo/onboard"
    assert form.one("input").attributes["value"] == "PROD"


def test_too_few_days_for_a_course_are_said():
    services = sample()
    few = services.predictions.evaluations("pudo", "DEV")
    services.predictions.evaluations = lambda *where, **more: replace(few, items=few.items[:2])
    for address in ("/spokes/pudo", "/spokes/pudo/predictions"):
        page = parse(TestClient(application(services)).get(address).text)
        assert "2 days are evaluated so far" in page.one("section", cls="few-days").text
        assert "predicted-over-time" not in {
            node.attributes.get("data-figure", "")[:-5] for node in page.all("div")
        }


@pytest.mark.parametrize(
    "name", ["v1-2", "release candidate", "a/b", "..", "100%", "a?b#c", "=2F", "Größe", '"x"']
)
def test_any_name_is_shown_and_leads_back_to_itself(name):
    """What the pages link and send is received letter for letter, promoted, retried and looked at."""
    services = sample()
    (model,) = services.registry.models("pudo", "DEV")
    version = replace(model.versions[1], model=name, version=name, run_id=name, graph=name)
    services.registry.models = lambda spoke, environment: (replace(model, name=name, versions=(version,)),)
    asked = []
    services.registry.start_promote = lambda *values: asked.append(values) or name
    graph = services.training.graph("pudo", "DEV", "TRAINING_DAG")
    run = replace(graph.runs[0], graph=name, run_id=name, state="FAILED")
    services.training.graph = lambda *values, **_: (
        asked.append(values) or replace(graph, name=name, runs=(run,))
    )
    services.training.run = lambda *values: asked.append(values) or run
    services.training.retry = lambda *values: asked.append(values) or name
    client = TestClient(application(services), headers={"accept": "text/html"}, follow_redirects=False)
    page = parse(client.get("/spokes/pudo/models?environment=DEV").text)
    assert name in page.one("td", data_label="Version").text
    form = next(one for one in page.all("form") if one.attributes["action"].endswith("/promote"))
    sent = client.post(form.attributes["action"], data={"environment": "DEV"})
    assert asked == [("pudo", "DEV", name, name, "administrator")]
    assert client.get(sent.headers["location"]).status_code == 404  # found its way to the operation's page
    asked.clear()
    link = next(one for one in page.all("a") if one.text == name)
    shown = client.get(link.attributes["href"])
    assert [values[: 3 if len(values) == 4 else 5] for values in asked] == [
        ("pudo", "DEV", name, name, None),
        ("pudo", "DEV", name),
    ]
    run_page = parse(shown.text)
    asked.clear()
    again = next(one for one in run_page.all("form") if one.attributes["action"].endswith("/retry"))
    client.post(again.attributes["action"], data={"environment": "DEV"})
    assert asked == [("pudo", "DEV", name, name, "administrator")]
    here = run_page.one(id="nav").attributes["hx-get"]
    assert client.get(here).status_code == 200
