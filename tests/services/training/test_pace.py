"""A live account is asked seldom and waited for long; the embedded one the other way round."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from services.core.settings import AccountSettings
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.pace import EMBEDDED, LIVE, Pace


@pytest.mark.parametrize(
    ("settings", "pace"),
    [
        (AccountSettings(), EMBEDDED),
        (AccountSettings(kind="named", connection="production"), LIVE),
        (AccountSettings(kind="container", container_host="h", container_account="a"), LIVE),
    ],
)
def test_the_connection_knows_the_pace(tmp_path: Path, settings: AccountSettings, pace: Pace) -> None:
    assert ConnectionSource(settings, EmbeddedAccount(tmp_path, tmp_path)).pace is pace


def test_pauses_grow_between_their_limits() -> None:
    pauses = list(itertools.islice(LIVE.pauses(), 10))
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (2.0, 5.0)
    waits = list(LIVE.waits(LIVE.patience))
    assert sum(waits[:-1]) < LIVE.patience <= sum(waits)
    assert len(waits) < 30
