"""What the task tests share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def settle(run: Run, database: str) -> Callable[[], None]:
    """Waits until no graph of the fresh database runs or waits to run."""

    def wait(seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while run(
            "select 1 from table(information_schema.current_task_graphs()) "
            f"where database_name = '{database}' and (state = 'EXECUTING' or scheduled_from <> 'SCHEDULE')"
        ):
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.05)

    return wait


@pytest.fixture
def history(run: Run, database: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """These columns of TASK_HISTORY for the fresh database, in the order of execution."""

    def rows(columns: str) -> list[tuple[Any, ...]]:
        return run(
            f"select {columns} from table(information_schema.task_history(result_limit => 1000)) "
            f"where database_name = '{database}' and state <> 'SCHEDULED' order by completed_time, name"
        )

    return rows
