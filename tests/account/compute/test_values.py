"""Values by SQL type, against the objects themselves."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_account.compute import sql_types, values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CASES = st.one_of(
    st.tuples(st.just("NUMBER(38,0)"), st.integers(-(10**38) + 1, 10**38 - 1)),
    st.tuples(st.just("NUMBER(20,3)"), st.decimals(-(10**15), 10**15, places=3)),
    st.tuples(st.just("DOUBLE"), st.floats(allow_nan=False)),
    st.tuples(st.just("TEXT"), st.text(st.characters(codec="utf-8"))),
    st.tuples(st.just("BOOLEAN"), st.booleans()),
    st.tuples(st.just("DATE"), st.dates()),
    st.tuples(st.just("TIME"), st.times()),
    st.tuples(st.just("TIMESTAMP_NTZ(9)"), st.datetimes()),
    st.tuples(st.just("TIMESTAMP_TZ"), st.datetimes(timezones=st.just(__import__("datetime").UTC))),
    st.tuples(st.just("VARBINARY"), st.binary()),
    st.tuples(st.just("VARIANT"), JSON),
)


@given(CASES)
def test_json_round_trip(case: tuple[str, Any]) -> None:
    name, value = case
    kind = sql_types.parse(name)
    wire = json.loads(json.dumps(values.to_json(value, kind)))
    assert values.to_python(wire, kind) == value


@given(st.lists(CASES.filter(lambda case: case[0] != "VARIANT"), min_size=1, max_size=1), st.integers(0, 3))
def test_arrow_round_trip(case: list[tuple[str, Any]], nulls: int) -> None:
    name, value = case[0]
    kind = sql_types.parse(name)
    array = values.to_arrow([value] + [None] * nulls, kind)
    found = array.to_pylist()
    assert values.to_python(found[0], kind) == value
    assert found[1:] == [None] * nulls


@pytest.mark.parametrize(
    ("name", "value"),
    [("INT", "x"), ("DATE", 3), ("BOOLEAN", "yes"), ("BINARY", "FF"), ("TIMESTAMP", 5), ("NUMBER", [1])],
)
def test_values_that_a_type_cannot_hold(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError, ArithmeticError)):
        values.to_json(value, sql_types.parse(name))


@pytest.mark.parametrize("name", ["GEOGRAPHY", "VECTOR(FLOAT, 2)", "", "(3)"])
def test_unknown_types_are_named(name: str) -> None:
    with pytest.raises(sql_types.UnsupportedTypeError, match="Unsupported data type"):
        sql_types.parse(name)


def test_pandas_missing_values_become_null() -> None:
    number = sql_types.parse("INT")
    assert values.series_to_arrow(pd.Series([1, None], dtype="Int64"), number).to_pylist() == [1, None]
    assert values.series_to_arrow(pd.Series([1.0, None]), number).to_pylist() == [1, None]
    text = values.series_to_arrow(pd.Series(["a", None, pd.NA]), sql_types.parse("TEXT"))
    assert text.to_pylist() == ["a", None, None]
    scaled = values.series_to_arrow([Decimal("1.5"), None], sql_types.parse("NUMBER(4,2)"))
    assert scaled.to_pylist() == [Decimal("1.50"), None]
