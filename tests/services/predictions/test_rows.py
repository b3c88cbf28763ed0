"""Days, pages, histories, alerts and what is pending: composite keys of any type, hours, gaps, missing columns."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prediction_tables import FIRST, SETTINGS, put

from services.core.errors import Conflict, Invalid
from services.predictions.awaited import Awaited
from services.predictions.repository import Predictions
from services.predictions.types import HistoryValue

TEXTS = st.sampled_from(["a", "A/b", "it's", 'say "x"', "100%", "%s", "ünï", "", "\\", "a_b"])
COLUMNS = {
    "route/'no'": "VARCHAR", "stop \"%\"": "INTEGER", "since": "DATE", "express": "BOOLEAN", "day": "DATE",
    "predicted": "FLOAT", "actual": "FLOAT",
}  # fmt: skip
KEY = list(COLUMNS)[:4]


def all_pages(predictions: Predictions, relation: Any, limit: int, **options: Any) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        rows, cursor = predictions.page(relation, FIRST, limit=limit, cursor=cursor, **options)
        assert len(rows) <= limit
        found += rows
        assert len({row.key for row in found}) == len(found)
        if cursor is None:
            return found
        assert len(rows) == limit


@SETTINGS
@given(
    keys=st.lists(
        st.tuples(TEXTS, st.integers(-3, 99), st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.booleans()),
        unique=True,
        max_size=12,
    ),
    data=st.data(),
)
def test_pages_hold_every_row_once_in_order(
    run: Any,
    table: str,
    relation: Any,
    copied: Any,
    history: Any,
    keys: list[tuple[Any, ...]],
    data: st.DataObject,
) -> None:
    # Few values, so that the order must come from the key.
    value = st.sampled_from([-1.5, 0.1, 0.30000000000000004, 2.0])
    rows = [(*key, FIRST, data.draw(value), data.draw(st.none() | value)) for key in keys]
    put(run, table, COLUMNS, rows)
    made = copied(relation(key=KEY, alert={"levels": {"low": 0.1, "high": 2}}))
    predictions = Predictions(history)
    as_text = [
        ((text, str(number), day.isoformat(), str(flag).lower()), predicted, actual)
        for text, number, day, flag, _, predicted, actual in rows
    ]
    by_risk = sorted(as_text, key=lambda row: (-row[1], row[0]))
    found = all_pages(predictions, made, 3)
    assert [(row.key, row.predicted, row.actual) for row in found] == by_risk
    assert [row.level for row in found] == [
        "high" if predicted >= 2 else "low" if predicted >= 0.1 else None for _, predicted, _ in by_risk
    ]
    by_error = sorted(as_text, key=lambda row: (-abs(row[1] - row[2]) if row[2] is not None else 1, row[0]))
    assert [row.key for row in all_pages(predictions, made, 2, sort="error")] == [row[0] for row in by_error]
    by_label = sorted(" / ".join(row[0]) for row in as_text)
    assert [row.label for row in all_pages(predictions, made, 5, sort="label")] == by_label
    for key, predicted, actual in as_text:
        (value,) = predictions.entity(made, key, 10)
        assert (value.time, value.predicted, value.actual) == (FIRST, predicted, actual)
        row = predictions.one(made, key, FIRST)
        assert (row.key, row.predicted, row.actual) == (key, predicted, actual)
    totals = predictions.totals(made, FIRST, "it's")
    assert (totals.n, totals.matched) == (len(rows), sum("it's" in row[0][0] for row in as_text))
    if rows:
        assert totals.levels == {
            "low": sum(row[1] >= 0.1 for row in as_text),
            "high": sum(row[1] >= 2 for row in as_text),
        }
        assert totals.open_alerts == sum(row[1] >= 0.1 and row[2] is None for row in as_text)


def test_a_cursor_of_another_list_is_refused(
    run: Any, table: str, relation: Any, copied: Any, history: Any
) -> None:
    put(
        run,
        table,
        {"id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT"},
        [(n, FIRST, n, None) for n in range(3)],
    )
    predictions = Predictions(history)
    made = copied(relation())
    _, cursor = predictions.page(made, FIRST, limit=1)
    assert cursor is not None
    for bad, sort in (
        (cursor, "label"),
        ("nonsense", "risk"),
        ("W10", "risk"),
        ("é", "risk"),
        (cursor[:-4], "risk"),
    ):
        with pytest.raises(Invalid):
            predictions.page(made, FIRST, limit=1, cursor=bad, sort=sort)


def test_below_is_riskier_when_the_alert_says_so(
    run: Any, table: str, relation: Any, copied: Any, history: Any
) -> None:
    columns = {"id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT"}
    put(run, table, columns, [(1, FIRST, 5.0, None), (2, FIRST, 1.0, None), (3, FIRST, 2.0, 2.5)])
    made = copied(relation(alert={"when": "below", "levels": {"out": 1, "low": 2}}))
    predictions = Predictions(history)
    rows, _ = predictions.page(made, FIRST)
    assert [(row.key, row.level) for row in rows] == [(("2",), "out"), (("3",), "low"), (("1",), None)]
    found = predictions.alerts(made).items
    assert [(one.key, one.level, one.open) for one in found] == [
        (("2",), "out", True),
        (("3",), "low", False),
    ]
    assert predictions.open_alerts(made) == 1
    assert [one.key for one in predictions.alerts(made, only_open=True).items] == [("2",)]
    assert predictions.alerts(made, day=FIRST - timedelta(days=1)).items == ()


HOURLY = {
    "id": "NUMBER(10, 2)", "at": "TIMESTAMP_NTZ", "predicted": "FLOAT", "actual": "FLOAT",
    "version": "VARCHAR", "made": "TIMESTAMP_NTZ",
}  # fmt: skip


def test_hours(run: Any, table: str, relation: Any, copied: Any, history: Any) -> None:
    eight, nine = datetime(2025, 6, 2, 8), datetime(2025, 6, 2, 9)
    put(
        run,
        table,
        HOURLY,
        [
            (1.5, eight, 1.0, 1.0, "A", eight),
            (1.5, nine, 2.0, None, "A", eight),
            (1.5, nine, 3.0, None, "B", nine),
            (1.5, nine + timedelta(days=1), 4.0, None, "B", nine),
        ],
    )
    made = copied(
        relation(time="at", grain="hour", model_version="version", made_at="made", alert={"levels": {"x": 2}})
    )
    predictions = Predictions(history)
    assert predictions.days(made) == (date(2025, 6, 3), date(2025, 6, 2))
    assert predictions.times(made, date(2025, 6, 2)) == (eight, nine)
    rows, _ = predictions.page(made, nine)
    assert [(row.key, row.predicted, row.model_version) for row in rows] == [
        (("1.50",), 3.0, "B"),
        (("1.50",), 2.0, "A"),
    ]
    # Of one time the prediction that was made last.
    assert [(row.time, row.predicted) for row in predictions.entity(made, ["1.50"], 2)] == [
        (nine + timedelta(days=1), 4.0),
        (nine, 3.0),
    ]
    assert predictions.totals(made, nine).model_versions == 2
    first = predictions.alerts(made, limit=2)
    assert [one.predicted for one in first.items] == [4.0, 3.0]
    assert [one.predicted for one in predictions.alerts(made, limit=2, cursor=first.next_cursor).items] == [
        2.0
    ]


def test_history_is_where_the_contract_says(
    run: Any, table: str, relation: Any, copied: Any, history: Any, account_source: Any
) -> None:
    put(
        run,
        table,
        {"id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT"},
        [(1, FIRST, 5.0, None), (1, FIRST + timedelta(days=1), 6.0, None), (2, FIRST, 7.0, 7.5)],
    )
    run(f'CREATE OR REPLACE TABLE SPOKEHUB.SHARED_DATA."{table}" ("Key" VARCHAR, WHEN_ DATE, "real" FLOAT)')
    run(
        f'INSERT INTO SPOKEHUB.SHARED_DATA."{table}" VALUES '
        "('1', '2025-06-01', 4.0), ('1', '2025-06-02', 4.5), ('2', '2025-06-02', 7.5), ('9', '2025-06-02', 1.0),"
        " ('1', '2025-06-03', NULL)"
    )
    longer = {"source": table, "schema": "shared", "key": ["Key"], "time": "WHEN_", "actual": "real"}
    made = relation(history=longer)
    predictions = Predictions(history)
    assert predictions.actuals(copied(made), ["1"], 10) == (
        HistoryValue(FIRST, actual=4.5),
        HistoryValue(FIRST - timedelta(days=1), actual=4.0),
    )
    awaited = Awaited(account_source)
    assert awaited.unscored(made) == 1
    assert awaited.unscored(relation()) == 2
    days = [FIRST + timedelta(days=back) for back in (-2, -1, 0, 1, 2)]
    assert awaited.known(made, days) == set(days[1:4])


def test_pending_are_the_days_of_the_view(run: Any, table: str, relation: Any, account_source: Any) -> None:
    put(run, table, {"id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT"}, [])
    run(
        f'CREATE OR REPLACE VIEW SPOKEHUB.SHOP_DEV."{table} to do" ("day") AS '
        "SELECT DATEADD(day, COLUMN1, '2025-06-02'::DATE)::DATE FROM VALUES (1), (0), (1)"
    )
    assert Awaited(account_source).pending(relation(pending=f"{table} to do")) == (
        FIRST,
        FIRST + timedelta(days=1),
    )


def test_nothing_is_predicted_where_nothing_is(
    run: Any, table: str, relation: Any, copied: Any, history: Any, account_source: Any
) -> None:
    predictions = Predictions(history)
    columns = {"id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT"}
    for empty in (False, True):
        if empty:
            # Neither what is unknown nor what JSON cannot say is a prediction.
            put(
                run,
                table,
                columns,
                [(1, FIRST, None, 1.0), (2, FIRST, float("nan"), 1.0), (3, FIRST, float("inf"), 1.0)],
            )
        made = copied(relation(alert={"levels": {"x": 1}}))
        assert predictions.days(made) == ()
        assert predictions.totals(made, FIRST).n == 0
        assert predictions.page(made, FIRST) == ((), None)
        assert predictions.entity(made, ["1"], 5) == ()
        assert predictions.alerts(made).items == ()
        assert predictions.open_alerts(made) == Awaited(account_source).unscored(made.relation) == 0
        assert predictions.scored(made, 28, None, 5) == ((), None)


@pytest.mark.parametrize(
    ("roles", "where", "column"),
    [
        ({"naive": "guess"}, "predictions.ORDERS.naive", "guess"),
        ({"key": ["id", "100%"]}, "predictions.ORDERS.key", "100%"),
        ({"place": {"latitude": "day", "longitude": "lon"}}, "predictions.ORDERS.place.longitude", "lon"),
    ],
)
def test_a_missing_column_is_named_with_its_place_in_the_manifest(
    run: Any,
    table: str,
    relation: Any,
    copied: Any,
    history: Any,
    roles: dict[str, Any],
    where: str,
    column: str,
) -> None:
    put(run, table, {"id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT"}, [])
    with pytest.raises(Conflict) as caught:
        copied(relation(**roles))
    assert caught.value.code == "column_missing"
    assert caught.value.detail == {
        "table": f'SPOKEHUB.SHOP_DEV."{table}"',
        "column": column,
        "where": where,
    }
    assert f"{where} names" in caught.value.message
    assert "actual, day, id, predicted" in str(caught.value.hint)


BY_DAY = {"id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT"}


def test_scored_are_those_of_the_last_days(
    run: Any, table: str, relation: Any, copied: Any, history: Any
) -> None:
    rows = [(at, FIRST - timedelta(days=at), 1.0 + at, float(at)) for at in range(6)]
    put(run, table, BY_DAY, [*rows, (9, FIRST + timedelta(days=9), 1.0, None)])
    predictions = Predictions(history)
    made = copied(relation())
    found: list[Any] = []
    cursor = None
    for _ in range(2):
        part, cursor = predictions.scored(made, 3, cursor, 2)
        found += part
    assert cursor is None
    assert [(row.key, row.error) for row in found] == [(("0",), 1.0), (("1",), 1.0), (("2",), 1.0)]
    assert defaultdict(int, asdict(found[0]))["features"] == {}


@pytest.mark.parametrize(
    ("grain", "time", "key"),
    [
        ("hour", "x", "a"),
        ("hour", "", "a"),
        ("hour", "2026-13-01T00:00:00", "a"),
        ("hour", "2026-01-09T06:00:00+02:00", "a"),
        ("day", "2026-W01-1", "a"),
        ("day", "20260109", "a"),
        ("day", "2026-01-09", "\ud800"),
        ("day", "2026-01-09", "\x00"),
    ],
)
def test_a_cursor_that_no_list_made_is_refused(
    relation: Any, copied: Any, history: Any, grain: str, time: str, key: str
) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["scored", time, key, "", "n"]).encode()).decode()
    with pytest.raises(Invalid, match="cursor"):
        Predictions(history).scored(copied(relation(grain=grain)), 28, cursor, 10)
    assert history.statements == []


@pytest.mark.parametrize("value", ["٣", "1_0", " 1", "one"])
def test_a_cursor_with_no_number_is_refused(relation: Any, copied: Any, history: Any, value: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["risk", value, "a", "", "n"]).encode()).decode()
    with pytest.raises(Invalid, match="cursor"):
        Predictions(history).page(copied(relation()), FIRST, cursor=cursor)


def test_no_row_is_lost_between_pages_where_keys_are_null_and_empty(
    run: Any, table: str, relation: Any, copied: Any, history: Any
) -> None:
    columns = {
        "id": "VARCHAR", "express": "BOOLEAN", "model": "VARCHAR",
        "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT",
    }  # fmt: skip
    keys = [("", None, "v1"), (None, None, "v1"), (None, True, "v1"), ("", True, ""), ("", True, None)]
    put(run, table, columns, [(*key, FIRST, 1.0, 1.0) for key in keys])
    made = copied(relation(key=["id", "express"], model_version="model", alert={"levels": {"high": 1}}))
    predictions = Predictions(history)
    for following in (
        lambda cursor: predictions.page(made, FIRST, cursor=cursor, limit=1),
        lambda cursor: predictions.page(made, FIRST, cursor=cursor, limit=1, sort="label"),
        lambda cursor: predictions.scored(made, 28, cursor, 1),
    ):
        rows, cursor = following(None)
        found = len(rows)
        while cursor is not None:
            rows, cursor = following(cursor)
            found += len(rows)
        assert found == len(keys)
