"""Format models against simple models of them, and the documentation's own examples."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_account.translate.formats import documents, numbers, times

# https://docs.snowflake.com/en/sql-reference/functions/to_char and …/sql-format-models
DOCUMENTED = [
    *zip(
        ["-12.391", "0.000", "-1.000", "0.100", "0.010", "3987.000", "1.111"],
        ['">"$99.0"<"'] * 7,
        [">-$12.4<", ">  $0.0<", "> -$1.0<", ">  $0.1<", ">  $0.0<", "> $##.#<", ">  $1.1<"],
        strict=True,
    ),
    *zip(
        ["-12.391", "0.000", "-1.000", "0.100", "0.010", "3987.000", "1.111"],
        ['">"B9,999.0"<"'] * 7,
        [">   -12.4<", ">      .0<", ">    -1.0<", ">      .1<", ">      .0<", "> 3,987.0<", ">     1.1<"],
        strict=True,
    ),
    *zip(
        ["-12.391", "0.000", "0.100", "3987.000"],
        ["TME"] * 4,
        ["-1.2391E1", "0E0", "1E-1", "3.987E3"],
        strict=True,
    ),
    *zip(
        ["-12.391", "0.000", "-1.000", "3987.000"],
        ["0XXX"] * 4,
        ["FFF4", "0000", "FFFF", "0F93"],
        strict=True,
    ),
    *zip(["-12.391", "0.000", "3987.000"], ["S0XXX"] * 3, ["-000C", "+0000", "+0F93"], strict=True),
    ("-12.391", "TM9", "-12.391"),
    ("0.25", "TM9%", "25%"),
    ("1234567.891", "TM9(2,3)", "1,234,567.89"),
    *zip(
        ["12", "-7"] * 7,
        ["99"] * 2 + ["S99"] * 2 + ["99S"] * 2 + ["MI99"] * 2 + ["99MI"] * 2 + ["$99"] * 2 + ["FM99"] * 2,
        [" 12", " -7", "+12", " -7", "12+", " 7-", " 12", "- 7", "12 ", " 7-", " $12", " -$7", "12", "-7"],
        strict=True,
    ),
    ("1.2", "999,999.999", "       1.2  "),
    ("1234.56", "999,999.999", "   1,234.56 "),
    ("-123456.789", "999,999.999", "-123,456.789"),
    ("1.2", "S000,000.000", "+000,001.200"),
    ("123.456", "S999,999.999", "    +123.456"),
    ("1.2", "FM999,999.999", "1.2"),
]


@pytest.mark.parametrize(("value", "model", "text"), DOCUMENTED)
def test_documented_numbers(value: str, model: str, text: str) -> None:
    assert numbers.to_char(value, model, False) == text


PARSED = [
    ("012,345.67", "999,999.99", "12345.67"),
    ("12,345.67", "999,999.99", "12345.67"),
    (" 12,345.67", "999,999.99", "12345.67"),
    ("12345.67", "999,999.99", "12345.67"),
    ("012,345.67", "000,000.00", "12345.67"),
    ("12,345.67", "000,000.00", None),
    (" 12,345.67", "000,000.00", None),
    ("1,2345", "99,999", None),
    ("-101", "MI999|999MI", "-101"),
    ("102-", "MI999|999MI", "-102"),
    ("103", "MI999|999MI", "103"),
    ("ff", "XX", "255"),
    ("1.5E3", "TM", "1500"),
    ("1.5E3", "TM9", None),
]


@pytest.mark.parametrize(("text", "model", "value"), PARSED)
def test_documented_texts(text: str, model: str, value: str | None) -> None:
    found = numbers.to_number(text, model, True)
    assert (found if found is None else Decimal(found)) == (value if value is None else Decimal(value))


_MONEY = st.decimals(min_value=-(10**9) + 1, max_value=10**9 - 1, places=2)


@given(_MONEY)
def test_numbers_as_python_prints_them(value: Decimal) -> None:
    zero = Decimal(abs(value)) if value == 0 else value
    assert numbers.to_char(str(value), "FM999,999,990.00", False) == f"{zero:,.2f}"
    assert numbers.to_char(str(value), "TM9", False) == f"{zero:f}"


@given(
    _MONEY,
    st.sampled_from(["999,999,999.99", "S999999999.99", "999999999.99MI", "$999,999,999.00", "TM9", "TM"]),
)
def test_what_is_printed_is_read(value: Decimal, model: str) -> None:
    printed = numbers.to_char(str(value), model, False)
    assert Decimal(numbers.to_number(printed, model, True) or "nan") == value


_MOMENTS = st.datetimes(datetime.datetime(1000, 1, 1), datetime.datetime(9999, 12, 31))


@given(_MOMENTS)
def test_times_as_python_prints_them(moment: datetime.datetime) -> None:
    shown = times.to_char(moment, "YYYY-MM-DD YY MON MMMM DY HH24:HH12 AM MI SS FF6", "+0000")
    assert shown == moment.strftime("%Y-%m-%d %y %b %B %a %H:%I %p %M %S %f").replace(
        f"{moment:%Y}", f"{moment.year:04d}", 1
    )


@given(
    _MOMENTS,
    st.sampled_from(
        ["DD-MON-YYYY HH12:MI:SS.FF6 PM", 'MMMM DD, YYYY "at" HH24.MI.SS.FF', "YYYYMMDDHH24MISSFF6"]
    ),
)
def test_times_printed_are_read(moment: datetime.datetime, model: str) -> None:
    assert times.to_time(times.to_char(moment, model, None), model, "ntz", True) == moment


@given(_MOMENTS, st.integers(-12, 12))
def test_offsets(moment: datetime.datetime, hours: int) -> None:
    text = f"{moment:%H:%M} {hours:+03d}30"
    face = datetime.datetime(1970, 1, 1, moment.hour, moment.minute)
    assert times.to_time(text, "HH24:MI TZHTZM", "ntz", True) == face
    assert times.to_moment(text, "HH24:MI TZHTZM", True) == f"1970-01-01 {moment:%H:%M}:00{hours:+03d}:30"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=40)
@given(_JSON)
def test_documents_keep_their_values(value: object) -> None:
    import json

    text = json.dumps(value)
    assert json.loads(documents.sorted_json(text) or "") == json.loads(documents.pretty_json(text)) == value


def test_a_pretty_document() -> None:
    assert (
        documents.pretty_json('{"b":[1,2.50],"a":{}}') == '{\n  "a": {},\n  "b": [\n    1,\n    2.50\n  ]\n}'
    )
