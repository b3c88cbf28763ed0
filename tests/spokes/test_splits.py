"""Splits by time, and which versions the clean-up may drop."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke_kit.datasets import time_splits
from spoke_kit.errors import DataMissing
from spoke_kit.manifest import Dataset
from spoke_kit.registry import Version, outdated

DAY = timedelta(days=1)


def test_sixty_fifteen_fifteen() -> None:
    config = Dataset(label="Y", train_days=60, validation_days=15, test_days=15)
    assert [
        (one.name, one.first, one.last) for one in time_splits(config, date(2024, 1, 1), date(2025, 6, 30))
    ] == [
        ("TRAIN", date(2025, 4, 2), date(2025, 5, 31)),
        ("VALIDATION", date(2025, 6, 1), date(2025, 6, 15)),
        ("TEST", date(2025, 6, 16), date(2025, 6, 30)),
    ]


@given(
    st.integers(1, 400),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 500),
    st.dates(date(2020, 1, 1)),
)
def test_splits_lie_back_to_back(train: int, validation: int, test: int, span: int, last: date) -> None:
    config = Dataset(label="Y", train_days=train, validation_days=validation, test_days=test)
    first = last - timedelta(days=span)
    if span < validation + test:
        with pytest.raises(DataMissing):
            time_splits(config, first, last)
        return
    splits = time_splits(config, first, last)
    assert [one.first - before.last for before, one in pairwise(splits)] == [DAY, DAY]
    assert splits[-1].last == last
    lengths = [(one.last - one.first).days + 1 for one in splits]
    assert lengths == [min(train, span + 1 - validation - test), validation, test]


def test_what_is_in_use_stays() -> None:
    now = datetime(2025, 7, 10, tzinfo=UTC)

    def version(name: str, days: int, *, aliases: tuple[str, ...] = (), default: bool = False) -> Version:
        return Version(name, now - timedelta(days=days), aliases, default, {})

    found = [
        version("OLD", 8),
        version("OLD_DEFAULT", 30, default=True),
        version("OLD_ALIAS", 30, aliases=("CHAMPION",)),
        version("OLD_USED", 30),
        version("YOUNG", 7),
    ]
    assert outdated(found, now, 7, {"OLD_USED"}) == ["OLD"]
