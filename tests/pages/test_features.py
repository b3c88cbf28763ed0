"""Feature views: how those of all spokes do, and each of a spoke."""

from __future__ import annotations

from sample import sample
from sample_application import TestClient, application


def test_the_worst_is_first_with_what_is_wrong(read):
    page = read("/health/features")
    rows = page.one("section", aria_label="Feature views").one("tbody").all("tr")
    cells = [[cell.text for cell in row.all("td")] for row in rows]
    assert [row[1] for row in cells] == ["FAILED", "LATE", "SUSPENDED", "GOOD", "GOOD"]
    failed = cells[0]
    assert failed[0].startswith(
        "PUDO__GEOSPATIAL_FEATURES V1 pudo · STAGING · 1 hour Numeric value 'n/a' is not recognized"
    )
    assert failed[3:6] == ["2 h of 1 h", "2 / 3", "3 / 4"]
    assert cells[3][6] == "36 500 +9 876 −54"
    assert cells[3][7].startswith("3.0 % +2.0 pp DEMAND_CA…CITY_RATIO")
    strips = [row.all("svg", cls="strip") for row in rows]
    assert [len(strip[0].all("rect")) if strip else 0 for strip in strips] == [30, 30, 30, 30, 0]
    assert strips[0][0].attributes["aria-label"] == "30 refreshes, oldest first, 3 failed, 0 late"
    assert [rect.attributes["class"] for rect in strips[0][0].all("rect")[-3:]] == ["state-red"] * 3
    assert strips[1][0].all("rect")[10].attributes["class"] == "state-orange"
    # Of the hub's own that nobody consumes no spoke can ask.
    assert [len(row.all("form")) for row in rows] == [1, 0, 1, 1, 1]
    assert "Not read from the account yet: pudo in PROD." in page.text


def test_filters_and_their_empty_states(read):
    page = read("/health/features?state=late")
    assert len(page.one("tbody").all("tr")) == 1
    assert "No feature view fits." in read("/health/features?environment=PROD").text
    assert "No feature view is deployed yet." in read("/health/features", options={"empty": "1"}).text
    read("/health/features?spoke=nobody", status=404)
    read("/health/features?page=0", status=422)


def test_a_spokes_features_have_their_refreshes_and_columns(read):
    page = read("/spokes/pudo/features")
    cards = [
        card
        for card in page.all("section", cls="card")
        if card.attributes.get("id", "").startswith("PUDO__GEO")
    ]
    assert len(cards) == 1
    health = cards[0].one("div", cls="view-health")
    assert len(health.one("svg", cls="strip").all("rect")) == 30
    assert "Missed lags in 7 / 30 days 0 / 2" in health.text
    row = next(row for row in cards[0].all("tr") if "COMPETITORS_1KM" in row.text)
    assert [cell.text for cell in row.all("td")][2:4] == ["0.0 %", "41"]
    others = [card for card in page.all("section", cls="card") if card is not cards[0]]
    assert all(not card.all("div", cls="view-health") for card in others)


def test_profiling_is_asked_for_all_or_for_one(read):
    services = sample()
    with TestClient(application(services), follow_redirects=False) as client:
        for data in ({"environment": "dev"}, {"environment": "DEV", "view": "PUDO__L"}):
            answer = client.post("/spokes/pudo/features/profile", data=data)
            assert (answer.status_code, answer.headers["location"]) == (303, "/operations/op-setup")
    assert services.feature_health.profiled == [
        ("pudo", "DEV", "administrator", None),
        ("pudo", "DEV", "administrator", "PUDO__L"),
    ]
    with TestClient(application(services, "viewer"), headers={"accept": "text/html"}) as client:
        assert "Profile now" not in client.get("/health/features").text
