"""The failures' pages: what is open comes first, and what is chosen is handled."""

from __future__ import annotations

import pytest
from html_document import parse
from sample import sample
from sample_account import RUN_ID
from sample_application import TestClient, application

from services.failures.asked import Change


def test_open_failures_and_the_count_in_the_navigation(read):
    page = read("/failures")
    lines = [node.text for node in page.all("a") if "failure-line" in node.attributes.get("class", "")]
    assert lines[0] == "ValueError: no rows"
    assert len(lines) == 2
    (entry,) = (
        node for node in page.one("nav", id="menu").all("a") if node.attributes["href"] == "/failures"
    )
    assert entry.one("span", cls="nav-count").text == "2"
    assert "came back 2 times" in page.one("main").text


def test_enter_in_the_owner_assigns(read):
    """A browser presses a form's first button."""
    form = next(one for one in read("/failures").all("form") if one.attributes.get("method") == "post")
    assert form.all("button")[0].attributes["value"] == "assign"


def test_all_states_and_nothing_at_all(read):
    page = read("/failures?state=all")
    rows = [node for node in page.all("tr") if node.attributes.get("id", "").startswith("failure-")]
    assert [row.attributes["id"] for row in rows if "The hub" in row.text] == ["failure-f4"]
    assert len(rows) == 5
    empty = read("/failures", options={"empty": "1"})
    assert "Nothing failed in the last three months." in empty.one("main").text
    read("/failures?state=nonsense", 422)


def test_one_failure_with_its_occurrences(read):
    page = read("/failures/f3")
    assert "ValueError: no rows" in page.one("main").text
    assert f"/spokes/pudo/graphs/TRAINING_DAG/runs/{RUN_ID}?environment=DEV" in [
        node.attributes.get("href") for node in page.all("a")
    ]
    read("/failures/nope", 404)


def test_a_failure_of_the_hub_leads_to_the_feature_views(read):
    links = [
        node.attributes.get("href")
        for node in read("/failures/f4").one("main").all("a")
        if "hub" in node.text
    ]
    assert links == ["/health/features?environment=DEV"]


def test_what_is_chosen_is_handled():
    services = sample()
    with TestClient(application(services), follow_redirects=False) as client:
        chosen = {"action": "resolve", "ids": ["f3", "f5"], "back": "/failures?spoke=pudo"}
        answer = client.post("/failures", data=chosen)
        assert (answer.status_code, answer.headers["location"]) == (303, "/failures?spoke=pudo")
        away = client.post("/failures", data={**chosen, "back": "//elsewhere.example"})
        assert away.headers["location"] == "/failures"
        client.post("/failures", data={"action": "assign", "ids": "f3", "owner": "Grace"})
        client.post("/failures/f3", data={"action": "", "owner": "Ada", "note": "looked at"})
    resolved = (["f3", "f5"], Change(state="resolved"), "administrator")
    assert services.failures.changed == [
        resolved,
        resolved,
        (["f3"], Change(owner="Grace"), "administrator"),
        (["f3"], Change(None, "Ada", "looked at"), "administrator"),
    ]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"action": "resolve"}, "No failure is chosen"),
        ({"action": "explode", "ids": ["f3"]}, "Nothing is to change"),
        ({"action": "assign", "ids": ["f3"], "owner": "A" * 500}, "The owner has at most"),
        ({"action": "assign", "ids": ["f3"], "owner": "A\0"}, "The owner cannot be kept"),
    ],
)
def test_what_cannot_be_done_is_said_above_the_list(sent, said):
    services = sample()
    with TestClient(application(services)) as client:
        answer = client.post("/failures", data=sent)
    page = parse(answer.text)
    assert (answer.status_code, services.failures.changed) == (422, [])
    assert said in page.one("div", cls="problem").text
    assert len([node for node in page.all("tr") if node.attributes.get("id", "").startswith("failure-")]) == 2
