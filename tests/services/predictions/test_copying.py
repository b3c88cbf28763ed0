"""A copy is what the account has, however it came about; only what changed is fetched; no moment breaks it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prediction_tables import FIRST, SETTINGS, put

from services.core.errors import Conflict
from services.history import History
from services.predictions import copying, fetching
from services.predictions.copied import Copies, Copy
from services.predictions.copying import Copier
from services.predictions.diagnosing import Diagnosis
from services.predictions.evaluating import EvaluatedDays
from services.predictions.relation import Relation
from services.predictions.repository import Predictions
from services.predictions.types import Copied
from services.snowflake.connection import ConnectionSource

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = {
    "id": "INTEGER", "day": "DATE", "predicted": "FLOAT", "actual": "FLOAT", "shop": "VARCHAR",
    "size": "NUMBER(6, 2)",
}  # fmt: skip
ROLES = {"groups": ["shop"], "features": ["size"], "alert": {"levels": {"x": 2}}}
# Sums of these are exact in any order.
value = st.sampled_from([-1.5, 0.25, 2.0, 4.0])
row = st.tuples(
    st.integers(0, 9),
    st.integers(0, 4).map(lambda days: FIRST + timedelta(days=days)),
    st.none() | value,
    st.none() | value,
    st.none() | st.sampled_from(["a", ""]),
    st.none() | st.just(1.25),
)
Tell = Callable[[Relation], Copied]


def content(history: History, copy: Copy) -> dict[str, list[str]]:
    """All that there is of a copy, whatever its number."""
    tables = {
        "rows": f"SELECT * FROM {copy.rows}",
        "entities": f"SELECT * FROM {copy.entities}",
        "actuals": f"SELECT * FROM {copy.actuals}",
        **{
            name: f"SELECT * EXCLUDE (copy_id{without}) FROM {name} WHERE copy_id = {copy.id}"
            for name, without in (
                ("prediction_days", ""),
                ("prediction_times", ""),
                ("prediction_evaluations", ""),
                ("prediction_diagnostics", ", changed_at"),
            )
        },
    }
    return {
        name: sorted(repr(list(found.values())) for found in history.rows(text))
        for name, text in tables.items()
    }


def by_day(rows: list[Any]) -> dict[date, list[str]]:
    """The rows that predict something."""
    found: dict[date, list[str]] = {}
    for one in rows:
        if one[2] is not None:
            found.setdefault(one[1], []).append(repr(one))
    return {day: sorted(told) for day, told in found.items()}


@pytest.fixture
def tell(history: History, account_source: ConnectionSource) -> Tell:
    copier = Copier(history)

    def copy(relation: Relation) -> Copied:
        with account_source.reading() as connection:
            return copier.copy(connection, relation)

    return copy


def of(history: History, relation: Relation) -> Copy:
    found = Copies(history).of(relation)
    assert isinstance(found, Copy)
    return found


def afresh(history: History, relation: Relation, tell: Tell) -> dict[str, list[str]]:
    """What a copy of all holds."""
    with history.write() as db:
        db.execute("DELETE FROM prediction_copies")
    tell(relation)
    return content(history, of(history, relation))


@SETTINGS
@given(states=st.lists(st.lists(row, max_size=8), min_size=2, max_size=4), data=st.data())
def test_a_copy_is_what_the_account_has(
    run: Any, table: str, relation: Any, history: Any, tell: Tell, states: list[Any], data: st.DataObject
) -> None:
    run(
        f'CREATE OR REPLACE TABLE SPOKEHUB.SHOP_DEV."{table} then" ("id" INTEGER, "day" DATE, "actual" FLOAT)'
    )
    longer = {"source": f"{table} then", "key": ["id"], "time": "day", "actual": "actual"}
    made = relation(**ROLES, history=longer)
    before: list[Any] = []
    with history.write() as db:
        db.execute("DELETE FROM prediction_copies")
    first = True
    for state in states:
        # Some days stay as they are.
        kept = data.draw(st.sets(st.integers(0, 4)))
        now = [one for one in before if (one[1] - FIRST).days in kept]
        now += [one for one in state if (one[1] - FIRST).days not in kept]
        put(run, table, COLUMNS, now)
        told = tell(made)
        days, known = by_day(now), by_day(before)
        if not first:
            assert told.changed == sum(known.get(day) != rows for day, rows in days.items())
            assert told.removed == len(set(known) - set(days))
        before, first = now, False
        copy = of(history, made)
        (counted,) = history.rows(f"SELECT COUNT(*) AS N FROM {copy.rows}")
        assert counted["N"] == sum(one[2] is not None for one in now)
    found = content(history, copy)
    assert found == afresh(history, made, tell)


def test_only_what_changed_is_fetched(run: Any, table: str, relation: Any, history: Any, tell: Tell) -> None:
    rows: list[Any] = [(at, FIRST + timedelta(days=at % 3), 1.0, None, "a", 1.0) for at in range(9)]
    put(run, table, COLUMNS, rows)
    made = relation(**ROLES)
    first = tell(made)
    assert (first.changed, first.removed, first.rows) == (3, 0, 9)
    number = of(history, made).id
    again = tell(made)
    assert (again.changed, again.removed, again.rows) == (0, 0, 0)
    assert of(history, made).as_of == again.as_of > first.as_of
    assert of(history, made).changed_at == first.as_of
    run(f'UPDATE SPOKEHUB.SHOP_DEV."{table}" SET "actual" = 4 WHERE "id" = 4')
    run(f'DELETE FROM SPOKEHUB.SHOP_DEV."{table}" WHERE "day" = \'{FIRST + timedelta(days=2)}\'')
    told = tell(made)
    assert (told.changed, told.removed, told.rows) == (1, 1, 3)
    copy = of(history, made)
    assert copy.id == number
    assert Predictions(history).days(copy) == (FIRST + timedelta(days=1), FIRST)
    (one,) = EvaluatedDays(history).newest(copy, 9)
    assert (one.day, one.n, one.mae) == (FIRST + timedelta(days=1), 1, 3.0)
    assert Diagnosis(history.rows).scope(copy, 28) == (FIRST + timedelta(days=1), 1)


def test_another_contract_is_copied_anew(
    run: Any, table: str, relation: Any, history: Any, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(run, table, COLUMNS, [(1, FIRST, 1.0, 2.0, "a", 1.25)])
    made = relation()
    tell(made)
    before = of(history, made)
    other = relation(**ROLES)
    # Until it is copied, the rows are read by the contract by which they were.
    assert of(history, other).contract == made.contract
    assert tell(other).rows == 1
    after = of(history, other)
    assert (after.contract, after.feature_types) == (other.contract, ("DOUBLE",))
    assert after.id > before.id
    (shown,), _ = Predictions(history).page(after, FIRST)
    assert (shown.groups, shown.features) == ({"shop": "a"}, {"size": 1.25})
    # Who was told of the tables before may read them for a while.
    assert Predictions(history).open_alerts(before) == 0
    assert len(history.rows(f"SELECT * FROM {before.rows}")) == 1
    monkeypatch.setattr(copying, "_RETIRED_SECONDS", 0.0)
    tell(other)
    names = {one["table_name"] for one in history.rows("SELECT table_name FROM duckdb_tables()")}
    assert {before.rows, before.entities, before.actuals} & names == set()
    assert {after.rows, after.entities, after.actuals} <= names


def test_what_the_contract_names_in_vain_leaves_the_copy(
    run: Any, table: str, relation: Any, history: Any, tell: Tell
) -> None:
    put(run, table, COLUMNS, [(1, FIRST, 1.0, 2.0, "a", 1.25)])
    made = relation(**ROLES)
    first = tell(made)
    run(f'ALTER TABLE SPOKEHUB.SHOP_DEV."{table}" DROP COLUMN "shop"')
    told = tell(made)
    assert told.problem is not None
    assert (told.problem.code, told.problem.detail) == (
        "column_missing",
        {"table": f'SPOKEHUB.SHOP_DEV."{table}"', "column": "shop", "where": "predictions.ORDERS.groups"},
    )
    copy = of(history, made)
    assert (copy.as_of, copy.problem) == (first.as_of, told.problem)
    assert len(Predictions(history).page(copy, FIRST)[0]) == 1
    run(f'ALTER TABLE SPOKEHUB.SHOP_DEV."{table}" ADD COLUMN "shop" VARCHAR')
    assert tell(made).problem is None
    assert of(history, made).problem is None


def test_a_table_that_is_not_there_has_no_rows(
    run: Any, table: str, relation: Any, history: Any, tell: Tell
) -> None:
    made = relation(**ROLES)
    assert tell(made).problem is None
    put(run, table, COLUMNS, [(1, FIRST, 1.0, 2.0, "a", 1.25)])
    assert tell(made).rows == 1
    run(f'DROP TABLE SPOKEHUB.SHOP_DEV."{table}"')
    told = tell(made)
    assert (told.removed, told.problem) == (1, None)
    assert Predictions(history).days(of(history, made)) == ()


TYPES = {
    "whole": ("NUMBER(38, 0)", "1234567890123456789"),
    "small": ("NUMBER(3, 0)", "7"),
    "part": ("NUMBER(8, 3)", "1.125"),
    "float": ("FLOAT", "0.1"),
    "flag": ("BOOLEAN", "TRUE"),
    "text": ("VARCHAR", "'it''s % ünï'"),
    "date": ("DATE", "'2025-06-02'"),
    "time": ("TIME", "'08:09:10'"),
    "moment": ("TIMESTAMP_NTZ", "'2025-06-02 08:09:10.123456'"),
    "zoned": ("TIMESTAMP_LTZ", "'2025-06-02 08:09:10.5 +00:00'"),
    "nothing": ("VARCHAR", "NULL"),
    "bytes": ("BINARY", "TO_BINARY('00FF', 'HEX')"),
    "json": ("VARIANT", "PARSE_JSON('{\"a\": 1}')"),
}


def test_features_of_any_type_are_as_the_account_says(
    run: Any, table: str, relation: Any, history: Any, tell: Tell
) -> None:
    run(
        f'CREATE OR REPLACE TABLE SPOKEHUB.SHOP_DEV."{table}" AS SELECT 1 AS "id", \'2025-06-02\'::DATE AS "day",'
        ' 1::FLOAT AS "predicted", 2::FLOAT AS "actual", '
        + ", ".join(f'{literal}::{kind} AS "{name}"' for name, (kind, literal) in TYPES.items())
    )
    made = relation(features=list(TYPES))
    tell(made)
    (shown,), _ = Predictions(history).page(of(history, made), FIRST)
    (said,) = run(
        f'SELECT {", ".join(f"{chr(34)}{name}{chr(34)}" for name in TYPES)} FROM SPOKEHUB.SHOP_DEV."{table}"'
    )
    expected = {
        name: value.isoformat()
        if isinstance(value, date | datetime)
        else float(value)
        if name == "part"
        else value
        if isinstance(value, bool | int | float | str | None)
        else str(bytes(value) if name == "bytes" else value)
        for name, value in said.items()
    }
    assert shown.features == expected
    assert {name: type(value) for name, value in shown.features.items()} == {
        name: type(value) for name, value in expected.items()
    }


def test_many_rows_come_in_parts(
    run: Any, table: str, relation: Any, history: Any, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        (at, FIRST + timedelta(days=min(at // 40, 5)), float(at % 7), float(at % 3), "ab"[at % 2], None)
        for at in range(400)
    ]
    put(run, table, COLUMNS, rows)
    made = relation(**ROLES)
    whole = afresh(history, made, tell)
    monkeypatch.setattr(fetching, "FETCHED", 50)
    monkeypatch.setattr(copying, "_WRITTEN", 60)
    days = {FIRST: 20, FIRST - timedelta(days=1): 30, FIRST + timedelta(days=1): 200}
    found = [(len(one.days), one.rows, one.statements) for one in fetching.batches(days)]
    assert found == [(2, 50, 1), (1, 200, 4)]
    assert afresh(history, made, tell) == whole


# A new copy takes a write to begin, one for each day, one by which it is read, and one for its diagnostics.
@pytest.mark.parametrize("write", [1, 3, 5, 6])
def test_killed_at_a_write_it_goes_on_from_the_copy_before(
    run: Any,
    table: str,
    relation: Any,
    account_source: ConnectionSource,
    tmp_path: Path,
    write: int,
) -> None:
    path = tmp_path / "history.duckdb"

    def again() -> tuple[History, Copy]:
        history = History(path)
        history.open()
        with account_source.reading() as connection:
            Copier(history).copy(connection, made)
        return history, of(history, made)

    put(run, table, COLUMNS, [(1, FIRST, 1.0, 2.0, "a", 1.25)])
    made = relation(**ROLES)
    history, copy = again()
    before = content(history, copy)
    history.close()
    # Another contract: all is copied anew, in some transactions.
    put(run, table, COLUMNS, [(at, FIRST + timedelta(days=at % 4), 2.0, 4.0, "b", None) for at in range(12)])
    other = relation(**{**ROLES, "title": "Others"})
    program = [
        sys.executable, str(Path(__file__).parent / "killed_copy.py"), str(path),
        json.dumps(account_source.parameters()), other.contract.model_dump_json(), str(write),
    ]  # fmt: skip
    ended = subprocess.run(program, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, cwd=tmp_path)
    assert ended.returncode == -signal.SIGKILL
    history = History(path)
    history.open()
    kept = of(history, made)
    if write < 6:
        assert kept.contract == made.contract
        assert content(history, kept) == before
    else:
        assert kept.contract == other.contract
        assert Diagnosis(history.rows).scope(kept, 28)[1] == 12
    history.close()
    made = other
    history, copy = again()
    assert content(history, copy) == afresh(history, made, lambda one: _copied(history, account_source, one))
    numbers = {
        name["table_name"].split("_")[1]
        for name in history.rows("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'predicted_%'")
    }
    # The one that is read, and the one before it.
    assert len(numbers) <= 3
    history.close()


def _copied(history: History, source: ConnectionSource, relation: Relation) -> Copied:
    with source.reading() as connection:
        return Copier(history).copy(connection, relation)


def test_what_is_no_longer_declared_is_forgotten(
    run: Any, table: str, relation: Any, history: Any, tell: Tell, scope: Any
) -> None:
    put(run, table, COLUMNS, [(1, FIRST, 1.0, 2.0, "a", 1.25)])
    made = relation()
    tell(made)
    copier = Copier(history)
    copier.forget(scope, ("ORDERS",))
    assert isinstance(Copies(history).of(made), Copy)
    copier.forget(scope, ("OTHERS",))
    assert Copies(history).of(made) is None


def test_the_reason_is_known_without_a_copy(
    run: Any, table: str, relation: Any, history: Any, copied: Any, scope: Any
) -> None:
    put(run, table, COLUMNS, [])
    Copier(history).forget(scope, ())
    made = relation(naive="guess")
    with pytest.raises(Conflict):
        copied(made)
    found = Copies(history).of(made)
    assert found is not None
    assert not isinstance(found, Copy)
    assert (found.code, found.detail["column"]) == ("column_missing", "guess")
