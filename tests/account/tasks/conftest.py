"""What the task tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def history(run: Run, database: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """These columns of TASK_HISTORY for the fresh database, in the order of execution."""

    def rows(columns: str) -> list[tuple[Any, ...]]:
        return run(
            f"select {columns} from table(information_schema.task_history(result_limit => 1000)) "
            f"where database_name = '{database}' and state <> 'SCHEDULED' order by completed_time, name"
        )

    return rows
