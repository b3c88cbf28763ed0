"""Rows there and back, each value of the type that it had."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.knowledge.encoding import NotEncodable, decode, encode
from services.knowledge.types import Refusal

zones = st.none() | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
    lambda offset: timezone(timedelta(seconds=round(offset.total_seconds())))
)
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.datetimes(timezones=zones)
    | st.binary()
    | st.binary().map(bytearray)
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    columns = draw(st.lists(st.text(), unique=True, max_size=4))
    count = draw(st.integers(0, 3)) if columns else 0
    return [{column: draw(values) for column in columns} for _ in range(count)]


def typed(value: Any) -> Any:
    """``value`` with what ``==`` does not look at: the types, the sign of zero, the offsets."""
    if isinstance(value, dict):
        return [(name, typed(one)) for name, one in value.items()]
    if isinstance(value, list):
        return [typed(one) for one in value]
    if isinstance(value, datetime):
        return value, value.utcoffset(), value.tzinfo is None
    if isinstance(value, float):
        return type(value), repr(value)
    if isinstance(value, Decimal):
        return type(value), value.as_tuple()
    return type(value), value


@given(rows())
def test_rows_come_back_as_they_were(given: list[dict[str, Any]]) -> None:
    text = encode(given)
    assert text.isascii()
    assert typed(decode(text)) == typed(given)


def test_what_is_no_number_and_named_zones() -> None:
    moment = datetime(2025, 10, 26, 2, 30, tzinfo=ZoneInfo("Europe/Paris"), fold=1)
    (row,) = decode(encode([{"A": math.nan, "B": -math.inf, "C": moment, "D": (1, 2)}]))  # type: ignore[misc]
    assert math.isnan(row["A"])
    assert row["B"] == -math.inf
    assert (row["C"].astimezone(UTC), row["C"].utcoffset()) == (moment.astimezone(UTC), moment.utcoffset())
    assert row["D"] == [1, 2]


@pytest.mark.parametrize("name", ["decimal", "datetime", "map", "refused", "columns"])
def test_a_value_that_looks_like_a_type_of_ours(name: str) -> None:
    given = [{name: {name: "1"}, "list": [{name: [1]}]}]
    assert decode(encode(given)) == given


def test_a_refusal() -> None:
    refusal = Refusal("It is not there", None, {"errno": 2003, "sqlstate": "02000", "query_id": None})
    assert decode(encode(refusal)) == refusal
    assert refusal.error().detail == refusal.detail


def test_a_value_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(NotEncodable):
        encode([{"A": object()}])


def test_kinds_that_are_others_too() -> None:
    given = [{"A": True, "B": 1, "C": date(2025, 1, 1), "D": datetime(2025, 1, 1), "E": time(1)}]
    assert typed(decode(encode(given))) == typed(given)
