"""How old a page is, why it is no newer, and what is shown before anything was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from html_document import parse
from sample import Sample, sample
from sample_application import TestClient, application

from app.addresses import path
from services.core.clock import utc_now
from services.knowledge.types import NotYetKnown, Outlook


def client(services: Sample, role: str = "administrator") -> TestClient:
    return TestClient(application(services, role), headers={"accept": "text/html"})


@pytest.fixture
def services() -> Sample:
    found = sample()
    found.seen = utc_now() - timedelta(minutes=3)  # type: ignore[attr-defined]
    return found


def test_a_page_says_how_old_it_is_and_reads_what_it_shows(services: Sample) -> None:
    asked = client(services)
    page = parse(asked.get("/hub?environment=DEV").text)
    told = page.one(id="as-of")
    assert told.one("time").attributes["data-time"] == "time"
    form = told.one("form")
    fields = [(one.attributes["name"], one.attributes["value"]) for one in form.all("input")]
    assert fields == [("part", "hub"), ("part", "spoke:pudo:DEV"), ("back", "/hub?environment=DEV")]
    sent = asked.post(
        "/read", data={"part": ["hub", "spoke:pudo:DEV"], "back": fields[-1][1]}, follow_redirects=False
    )
    assert (sent.status_code, sent.headers["location"]) == (303, "/hub?environment=DEV")
    assert services.knowledge.asked == [("hub", "spoke:pudo:DEV")]
    # Nothing is asked for again while nothing is read.
    assert "hx-get" not in page.one(id="shown").attributes


def test_a_viewer_reads_nothing(services: Sample) -> None:
    assert parse(client(services, "viewer").get("/hub").text).one(id="as-of").all("form") == []


def test_an_old_page_has_its_day_and_the_reason(services: Sample) -> None:
    services.seen = datetime(2025, 7, 1, 6, tzinfo=UTC)  # type: ignore[attr-defined]
    reason = "The account does not answer: " + "nobody there " * 20
    services.knowledge.outlook_now = Outlook(False, None, datetime(2025, 7, 2, tzinfo=UTC), reason)
    told = parse(client(services).get("/hub").text).one(id="as-of")
    assert [one.attributes["data-time"] for one in told.all("time")] == ["datetime", "datetime"]
    assert any(one.attributes.get("title") == reason for one in told.all("span"))


def test_while_it_is_read_the_page_asks_again(services: Sample) -> None:
    services.knowledge.outlook_now = Outlook(True)
    page = parse(client(services).get("/hub?environment=DEV").text)
    shown = page.one(id="shown").attributes
    assert (shown["hx-get"], shown["hx-select"]) == ("/hub?environment=DEV", "#shown")
    assert page.one(id="as-of").all("form") == []


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "", "/a\nb"])
def test_the_way_back_stays_here(services: Sample, back: str) -> None:
    sent = client(services).post("/read", data={"back": back}, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/")
    assert services.knowledge.asked == [()]


NEXT = utc_now() + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("outlook", "words", "buttons"),
    [
        (Outlook(False), "was not read so far", 1),
        (Outlook(True), "It is being read now", 0),
        (Outlook(False, NEXT, utc_now(), "The account does not answer"), "The account does not answer", 1),
    ],
)
@pytest.mark.parametrize(
    ("address", "parts"),
    [("/hub", ["hub"]), (path("/spokes/{}/features", "pudo"), ["spoke:pudo:DEV"]), ("/operations", [])],
)
def test_before_anything_was_read(
    services: Sample, address: str, parts: list[str], outlook: Outlook, words: str, buttons: int
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise NotYetKnown

    services.knowledge.outlook_now = outlook
    services.hub.plan = services.features.views = services.operations.list = unknown  # type: ignore[method-assign, assignment]
    answer = client(services).get(address)
    page = parse(answer.text)
    assert answer.status_code == 503
    assert page.one("h1").text == "The account has not been read yet"
    assert words in page.one(id="main").text
    # It opens by itself, and looks the same way again until then.
    shown = page.one(id="shown").attributes
    assert (shown["hx-get"], shown["hx-trigger"], shown["hx-status:503"]) == (
        address,
        "every 2s",
        "swap:outerMorph",
    )
    forms = page.one(id="main").all("form")
    assert len(forms) == buttons
    for form in forms:
        sent = [one.attributes["value"] for one in form.all("input") if one.attributes["name"] == "part"]
        assert sent == parts
