"""The readings' page: as of when, what it cost, what could not be read and what to do."""

from __future__ import annotations

from dataclasses import replace

from sample import sample
from sample_application import TestClient, application


def test_each_source_with_what_it_lacks(read):
    page = read("/sync")
    text = page.one("main").text
    assert "1 source could not be read" in text
    assert "GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE SPOKEHUB_ADMIN" in text
    codes = [node.text for node in page.all("code")]
    assert "live.runs:SPOKEHUB" in codes
    assert "usage.serverless_task_history" in codes
    assert "1 234" in text
    assert "of 24 readings with a warehouse" in text


def test_nothing_was_read_yet(read):
    text = read("/sync", options={"empty": "1"}).one("main").text
    assert "The account was not read yet" in text
    assert "never" in text


def test_reading_now_and_while_it_is_read():
    services = sample()
    with TestClient(application(services), follow_redirects=False, headers={"accept": "text/html"}) as client:
        answer = client.post("/sync")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sync")
        client.post("/sync", data={"spoke": "pudo", "environment": "DEV"})
        assert services.sync.started == [
            ("administrator", None, None),
            ("administrator", "pudo", "DEV"),
        ]
        assert 'hx-trigger="every 2s"' not in client.get("/sync").text
        services.sync.told = replace(services.sync.told, running="op-sync")
        shown = client.get("/sync").text
        assert 'hx-trigger="every 2s"' in shown
        assert "The account is being read" in shown
        services.sync.told = replace(services.sync.told, running=None, failure="The account does not answer.")
        assert "The last reading failed" in client.get("/sync").text
