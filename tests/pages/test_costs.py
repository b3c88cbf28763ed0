"""The costs' page: what was charged, that it is the account's metering, what may be spent."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from sample import sample
from sample_application import TestClient, application
from sample_costs import costs

from app.charts.costs import trend
from services.costs.asked import CostFilter


def test_the_lines_equal_the_metering(read):
    page = read("/costs")
    found = costs()
    report = found.report(CostFilter(found.today().replace(day=1), found.today()))
    assert report.total == report.account == report.metering > 20
    text = page.one("main").text
    assert f"All lines of the account equal its metering: {report.metering.normalize():f} credits" in text
    assert "trains CAPACITY_MODEL" in text
    assert "Forecast to the month's end" in text
    assert [node.text for node in page.all("th") if node.attributes.get("aria-sort")] == ["Credits ↓"]


@pytest.mark.parametrize("stack", ["kind", "spoke", "environment", "resource"])
def test_the_figure_is_small_and_has_the_tables_numbers(read, stack):
    page = read(f"/costs?period=365&stack={stack}")
    (script,) = [node for node in page.all("script") if node.attributes.get("id") == "costs-trend-data"]
    assert len(script.text) < 60_000
    figure = json.loads(script.text)
    total = sum(value for trace in figure["data"] for value in trace["y"])
    found = costs()
    wanted = CostFilter(found.today().replace(year=2024), found.today())
    assert total == pytest.approx(float(found.report(wanted).total), rel=1e-3)


def test_each_filter_is_in_the_address(read):
    for asked in (
        "spoke=pudo&environment=DEV", "spoke=-", "resource=SPOKEHUB_WH", "kind=idle", "period=7", "sort=place",
        "since=2025-07-01&until=2025-07-03", "graph=INFERENCE_DAG&spoke=pudo",
    ):  # fmt: skip
        page = read(f"/costs?{asked}")
        (csv,) = [n for n in page.all("a") if n.text == "Download CSV"]
        for pair in asked.split("&"):
            assert (pair in csv.attributes["href"]) == (pair != "sort=place")
    page = read("/costs?graph=INFERENCE_DAG&spoke=pudo&environment=DEV")
    runs = [n for n in page.all("a") if "/graphs/INFERENCE_DAG/runs/" in n.attributes.get("href", "")]
    assert len(runs) == 50


@pytest.mark.parametrize(
    "asked",
    ["period=fortnight", "since=yesterday", "since=2025-07-02&until=2025-07-01", "kind=x", "stack=x", "sort=x",
     "since=2020-01-01&until=2025-01-01"],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(read, asked):
    read(f"/costs?{asked}", 422)


def test_nothing_is_known_yet(read):
    text = read("/costs", options={"empty": "1"}).one("main").text
    assert "Account Usage was not read yet" in text
    assert "Read the account" in text


def test_a_budget_is_set_warned_of_and_removed():
    services = sample()
    with TestClient(application(services), follow_redirects=False) as client:
        sent = {
            "spoke": "pudo",
            "environment": "*",
            "credits": "1,5",
            "warn_at": "50",
            "back": "/costs?period=7",
        }
        answer = client.post("/costs/budgets", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/costs?period=7")
        away = client.post("/costs/budgets", data={**sent, "back": "//elsewhere.example"})
        assert away.headers["location"] == "/costs"
        (mine,) = [
            one for one in services.costs.budgets() if one.budget.environment == "*" != one.budget.spoke
        ]
        assert (mine.budget.credits, mine.budget.warn_at, mine.word) == (Decimal("1.5"), 0.5, "exceeded")
        page = client.get("/costs").text
        assert "SPENT" in page
        assert '<span class="nav-count num"' in page
        for wrong in (
            {"credits": "many"}, {"credits": "-1"}, {"warn_at": "200"}, {"spoke": "nobody"}, {"action": "empty"},
        ):  # fmt: skip
            refused = client.post("/costs/budgets", data={**sent, **wrong})
            assert refused.status_code in (404, 422)
            assert 'role="alert"' in refused.text
        for left_out in ({"action": "remove"}, {"action": "remove", "spoke": "*"}, {"credits": "1"}):
            refused = client.post("/costs/budgets", data=left_out)
            assert refused.status_code == 422
            assert "a spoke and an environment" in refused.text
        assert len(services.costs.budgets()) == 3
        client.post("/costs/budgets", data={**sent, "action": "remove"})
        assert [one.budget.spoke for one in services.costs.budgets()] == ["pudo", "*"]
        gone = client.post("/costs/budgets", data={**sent, "action": "remove"})
        assert gone.status_code == 404


def test_a_viewer_sees_no_form():
    with TestClient(application(sample(), role="viewer")) as client:
        assert "/costs/budgets" not in client.get("/costs").text


def test_nothing_gives_no_chart():
    found = costs(empty=True)
    report = found.report(CostFilter(found.today(), found.today()))
    assert trend(report.trend, "kind").empty
