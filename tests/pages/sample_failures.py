"""Failures of the sample: groups that are open, handled and back again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sample_account import RUN_ID

from services.core.errors import NotFound
from services.core.hub import HUB
from services.failures.asked import Change, FailureFilter
from services.failures.service import check
from services.failures.types import (
    STATES,
    Failure,
    FailurePage,
    Occurrence,
)

NOW = datetime.now(UTC).replace(microsecond=0)
TRACE = 'Python Interpreter Error:\nTraceback (most recent call last):\n  File "a.py", line 3\nValueError: no rows'


def _failure(number: int, message: str, **more: object) -> Failure:
    last = Occurrence(NOW - timedelta(hours=number), RUN_ID, 2, "100357", message)
    found = Failure(
        id=f"f{number}",
        kind="graph",
        spoke="pudo",
        environment="DEV",
        subject="TRAINING_DAG",
        task="TRAINING_DAG$SEND_ALERT",
        fingerprint=f"{number:016d}",
        state="open",
        count=number,
        first_at=NOW - timedelta(days=3),
        last_at=last.at,
        last=last,
        headline=message.splitlines()[-1],
        by_day=tuple((NOW.date() - timedelta(days=day), day + 1) for day in (2, 1, 0)),
        occurrences=(last, replace(last, attempt=1, run_id=RUN_ID)),
    )
    return replace(found, **more)  # type: ignore[arg-type]


class Failures:
    """What the failures' service answers."""

    def __init__(self, empty: bool = False) -> None:
        self.changed: list[tuple[list[str], Change, str]] = []
        self._all = (
            ()
            if empty
            else (
                _failure(3, TRACE, owner="Ada", note="A table was renamed", reopened=2),
                _failure(5, "Object 'ALERTS' does not exist or not authorized. " * 4, recovered_at=NOW),
                _failure(1, "Cancelled by hand", state="resolved"),
                _failure(
                    2,
                    "Insufficient privileges",
                    kind="refresh",
                    task=None,
                    subject="L$V1",
                    state="acknowledged",
                ),
                _failure(
                    4,
                    "No column",
                    kind="refresh",
                    spoke=HUB,
                    task=None,
                    subject="SHARED__L$V1",
                    state="resolved",
                ),
            )
        )

    def search(
        self, wanted: FailureFilter, sort: str = "last", limit: int = 50, cursor: str | None = None
    ) -> FailurePage:
        items = tuple(one for one in self._all if wanted.state in (None, one.state))
        return FailurePage(items, None, tuple((s, sum(o.state == s for o in self._all)) for s in STATES))

    def get(self, failure_id: str) -> Failure:
        for one in self._all:
            if one.id == failure_id:
                return one
        raise NotFound(f"There is no failure {failure_id}")

    def open_count(self) -> int:
        return sum(one.state == "open" for one in self._all)

    def change(self, failure_ids: list[str], change: Change, actor: str) -> tuple[Failure, ...]:
        check(failure_ids, change)
        self.changed.append((failure_ids, change, actor))
        return tuple(self.get(one) for one in failure_ids)
