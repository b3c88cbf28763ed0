"""What reads the account: a connection source, or what remembers its answers."""

from __future__ import annotations

from typing import Any, Protocol

Rows = list[dict[str, Any]]


class Answers(Protocol):
    """``query`` as a connection source has it: the rows of one statement, each as a dict by column name."""

    def query(self, text: str, values: tuple[Any, ...] = ()) -> Rows: ...
