"""One pool for all tests of this folder: its preload takes seconds."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded_account.compute import ComputePool, Outcome, ProcedureJob

Call = Callable[..., Outcome]


@pytest.fixture(scope="session")
def pool() -> Iterator[ComputePool]:
    with ComputePool() as pool:
        # Timeouts of tests count from their own call.
        assert pool.wait_ready(300)
        yield pool


@pytest.fixture(scope="session")
def call(pool: ComputePool) -> Call:
    """Run inline source whose handler is ``main``, as a procedure without a session."""

    def run(source: str, *arguments: Any, timeout: float = 60, cancel: Any = None, **job: Any) -> Outcome:
        job = {"handler": "main", "returns": "VARIANT", **job}
        return pool.run(
            ProcedureJob(source=textwrap.dedent(source), arguments=arguments, **job), timeout, cancel
        )

    return run
