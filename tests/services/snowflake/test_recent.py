"""Answers from memory: for those who look, until something changes, never for those who act."""

import contextvars
from collections.abc import Callable
from typing import Any

from services.snowflake.recent import RecentAnswers, look


class Counting:
    """An account that counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        self.asked += 1
        return [{"N": self.asked}]


def within(action: Callable[[], Any], *, looking: bool) -> Any:
    """As a request does it: in a context of its own."""

    def run() -> Any:
        look(looking)
        return action()

    return contextvars.Context().run(run)


def test_memory_until_something_changes() -> None:
    source, stamps = Counting(), [0]
    recent = RecentAnswers(source, lambda: stamps[0], 60.0)  # type: ignore[arg-type]

    def ask(*values: Any) -> int:
        return int(recent.query("SELECT", values)[0]["N"])

    assert [within(ask, looking=True) for _ in range(2)] == [1, 1]
    assert within(lambda: ask(5), looking=True) == 2
    assert within(ask, looking=False) == 3
    assert ask() == 4
    assert within(ask, looking=True) == 1
    stamps[0] += 1
    assert [within(ask, looking=True) for _ in range(2)] == [5, 5]


def test_an_answer_from_before_a_change_is_not_kept() -> None:
    source, stamps = Counting(), [0]
    recent = RecentAnswers(source, lambda: stamps[0], 60.0)  # type: ignore[arg-type]

    def slow() -> None:
        recent.query("A")
        # Meanwhile another request saw that something changed.
        stamps[0] += 1
        within(lambda: recent.query("B"), looking=True)
        recent.query("C")

    within(slow, looking=True)
    before = source.asked
    within(lambda: recent.query("C"), looking=True)
    assert source.asked == before + 1
