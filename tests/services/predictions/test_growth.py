"""A day of a hundred rows and one of 300,000 take the same queries, and the same rows are fetched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.predictions.repository import MOST_PLACES
from services.predictions.service import Forecasts
from services.snowflake.scope import Scope
from spoke_kit.manifest import Manifest

MANY = 300_000
PAGE = 50
# Whatever is asked of one page and the next: lists, places, history, evaluations, aggregates, alerts.
MOST_QUERIES = 24
MOST_FETCHED = MOST_PLACES + 2_116 + 500


def fill(run: Any, table: str, count: int) -> None:
    run(
        f'CREATE OR REPLACE TABLE SPOKEHUB.SHOP_DEV."{table}" AS SELECT SEQ AS "id",'
        " DATEADD(day, MOD(SEQ, 2), '2025-06-02'::DATE)::DATE AS \"day\","
        ' MOD(SEQ * 7919, 10007) / 10007 AS "predicted", MOD(SEQ * 104729, 2) AS "actual",'
        ' 52 + MOD(SEQ, 100) / 100 AS "lat", 13 + MOD(SEQ, 77) / 77 AS "lon",'
        " CASE WHEN MOD(SEQ, 3) = 0 THEN 'shop ' || SEQ ELSE 'locker' END AS \"kind\""
        f" FROM (SELECT ROW_NUMBER() OVER (ORDER BY SEQ4()) AS SEQ FROM TABLE(GENERATOR(ROWCOUNT => {count})))"
    )


class NoRegistry:
    """A registry without a version."""

    def default(self, spoke: str, environment: str) -> None:
        return None


@pytest.mark.parametrize("kind", ["regression", "binary_classification"])
def test_a_page_of_a_large_day_costs_what_one_of_a_small_day_does(
    run: Any, table: str, relation: Any, account_source: Any, history: Any, scope: Scope, kind: str
) -> None:
    made = relation(
        kind=kind,
        place={"latitude": "lat", "longitude": "lon"},
        groups=["kind"],
        alert={"levels": {"high": 0.5}},
    )
    manifest = Manifest.model_validate(
        {
            "version": 1,
            "spoke": scope.spoke,
            "title": "Shop",
            "owner": "Nobody",
            "predictions": {"ORDERS": made.contract},
            "compute": {"warehouse": "WH", "packages": []},
        }
    )
    onboarded = replace(scope, manifest=manifest)
    service = Forecasts(
        account_source,
        history,
        lambda spoke, environment: onboarded,
        NoRegistry(),
        None,  # type: ignore[arg-type]
    )
    costs = []
    for count in (1_000, MANY):
        fill(run, table, count)
        (told,) = service.copy("shop", "DEV")
        assert (told.changed, told.removed, told.rows, told.problem) == (2, 0, count, None)
        history.statements.clear()
        history.fetched = 0
        page = service.page("shop", "DEV", limit=PAGE)
        assert page.time is not None
        following = service.page("shop", "DEV", limit=PAGE, cursor=page.next_cursor)
        assert not {row.key for row in page.rows} & {row.key for row in following.rows}
        places = service.places("shop", "DEV", None, page.time)
        service.history("shop", "DEV", page.rows[0].key)
        service.evaluations("shop", "DEV")
        found = service.diagnostics("shop", "DEV")
        service.alerts("shop", "DEV", limit=PAGE)
        assert page.totals.n == count / 2
        assert len(page.rows) == PAGE
        assert len(places) == min(count // 2, MOST_PLACES)
        assert sum(part.n for part in found.parts if part.by == "weekday") == count
        assert len([part for part in found.parts if part.by == "kind"]) == 30
        assert history.fetched <= MOST_FETCHED
        costs.append(len(history.statements))
    assert costs[0] == costs[1] <= MOST_QUERIES
