"""Names and constants as SQL text."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import Invalid
from services.snowflake.identifiers import QualifiedName, like_pattern, literal, quote

names = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PUDO_DEV", "PUDO_DEV"),
        ("_A$1", "_A$1"),
        ("pudo", '"pudo"'),
        ("1A", '"1A"'),
        ("A B", '"A B"'),
        ('A"B', '"A""B"'),
        ("TABLE", '"TABLE"'),
        ("A\n", '"A\n"'),
    ],
)
def test_a_name_is_quoted_only_where_it_must_be(name: str, text: str) -> None:
    assert quote(name) == text


@pytest.mark.parametrize("name", ["", "A" * 256, "A\x00B"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        QualifiedName(name)


@given(st.lists(names, min_size=1, max_size=3))
def test_what_is_written_is_read_back(parts: list[str]) -> None:
    name = QualifiedName(*reversed(parts))
    assert QualifiedName.parse(str(name)) == name


@pytest.mark.parametrize("text", ["", "a.b.c.d", "a..b", "a b", "a.", '"a', "a;drop", "a.b.", '""'])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        QualifiedName.parse(text)


def test_unquoted_parts_are_read_in_upper_case() -> None:
    assert QualifiedName.parse('hub."Mixed".t').parts == ("HUB", "Mixed", "T")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (0.25, "0.25"),
        ("it's", "'it''s'"),
        ("a\\b", r"'a\\b'"),
        (date(2026, 3, 1), "'2026-03-01'::DATE"),
        (datetime(2026, 3, 1, 6, tzinfo=UTC), "'2026-03-01T06:00:00+00:00'::TIMESTAMP_TZ"),
    ],
)
def test_literals(value: Any, text: str) -> None:
    assert literal(value) == text


def test_a_like_pattern_matches_the_text_alone() -> None:
    assert like_pattern("PUDO_DEV%") == r"'PUDO\\_DEV\\%'"
