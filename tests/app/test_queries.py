"""How often a page asks the catalogue and the history does not depend on how much is in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app import main
from app.composition import Runtime, compose
from services.db.engine import Database
from services.db.records import EnvironmentRecord, OperationRecord, SpokeRecord, StepRecord
from services.history import History
from services.history.runs import RunWriter
from services.knowledge import known
from tests.app.conftest import TestClient, nowhere
from tests.services.history.filling import place, task

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RUN = "/spokes/s0/graphs/TRAIN/runs/run-0-0"
# The address → the most statements to the catalogue and the most to the history, just after both were written.
PAGES = {
    "/": (12, 8),
    "/runs": (8, 6),
    "/failures": (7, 5),
    "/operations": (9, 4),
    "/operations/op-0": (15, 4),
    "/sync": (11, 8),
    "/spokes/s0": (8, 8),
    "/spokes/s0/graphs": (8, 4),
    "/spokes/s0/graphs/TRAIN": (8, 9),
    RUN: (8, 9),
    "/api/v1/operations": (2, 0),
    "/api/v1/graph-runs": (0, 1),
    "/api/v1/task-runs": (0, 2),
    "/api/v1/failures": (1, 5),
}


class Counted:
    """An application over so many spokes, each with 20 runs of a graph, and so many operations."""

    def __init__(self, client: TestClient, runtime: Runtime) -> None:
        self.client = client
        self.runtime = runtime
        self.catalogue = self.history = 0

    def statement(self, *given: Any) -> None:
        # What is read in the background is of no page, and what begins a transaction no question.
        if known.looks() and not given[2].startswith(("BEGIN", "PRAGMA")):
            self.catalogue += 1

    def ask(self, address: str) -> tuple[int, int]:
        """(statements to the catalogue, to the history) of a page that is rendered anew.

        The fewest of some times: what the background writes meanwhile makes a page read again.
        """
        return min(self._ask(address) for _ in range(5))

    def _ask(self, address: str) -> tuple[int, int]:
        self.runtime.history.commits += 1
        self.runtime.revision.bump()
        self.catalogue = self.history = 0
        response = self.client.get(address, headers={"accept": "text/html"})
        assert response.status_code == 200, response.text[:300]
        return self.catalogue, self.history


def fill(database: Database, history: History, spokes: int, operations: int) -> None:
    with database.write() as db:
        for number in range(spokes):
            name = f"s{number}"
            db.add(SpokeRecord(name=name, title=name, owner="ada", created_at=NOW, updated_at=NOW))
            db.flush()
            db.add(
                EnvironmentRecord(
                    spoke=name, environment="DEV", state="active", onboarded_at=NOW, updated_at=NOW
                )
            )
        for number in range(operations):
            key = f"op-{number}"
            db.add(
                OperationRecord(
                    id=key, kind="hub.apply", title="Apply", state="succeeded", actor="ada", queue_key="x",
                    params={}, created_at=NOW, started_at=NOW, ended_at=NOW,
                )
            )  # fmt: skip
            db.flush()
            for at in range(5):
                db.add(
                    StepRecord(
                        operation_id=key, position=at, name=f"n{at}", title="T", state="succeeded", attempts=1
                    )
                )
    rows = [
        task(name, "FAILED" if run % 7 == 3 else "SUCCEEDED", run=f"run-{number}-{run}", ago=3600.0 * (run + 1),
             schema=f"S{number}_DEV", now=NOW)
        for number in range(spokes) for run in range(20) for name in ("TRAIN", "TRAIN$FIT")
    ]  # fmt: skip
    RunWriter(history).record(place, rows, source="usage", seen_at=NOW)


@contextmanager
def counted(folder: Path, spokes: int, operations: int, patch: pytest.MonkeyPatch) -> Iterator[Counted]:
    composed: list[Runtime] = []

    def composing(*given: Any) -> Runtime:
        composed.append(compose(*given))
        return composed[0]

    patch.setattr(main, "compose", composing)
    with TestClient(main.create_app(nowhere(folder)), base_url="http://127.0.0.1") as client:
        runtime = composed[0]
        fill(runtime.database, runtime.history, spokes, operations)
        one = Counted(client, runtime)
        event.listen(runtime.database.engine, "before_cursor_execute", one.statement)
        read = History.read

        @contextmanager
        def reading(self: History) -> Iterator[Any]:
            one.history += known.looks()
            with read(self) as cursor:
                yield cursor

        patch.setattr(History, "read", reading)
        yield one


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Any, Any]]]:
    with pytest.MonkeyPatch.context() as patch:
        # What is looked at by the clock would be counted by chance.
        patch.setattr(known, "_CHECK_SECONDS", 3600.0)
        found = []
        for spokes, operations in ((1, 1), (50, 100)):
            with pytest.MonkeyPatch.context() as inner:
                folder = tmp_path_factory.mktemp("queries")
                with counted(folder, spokes, operations, inner) as one:
                    found.append({address: one.ask(address) for address in PAGES})
        yield {address: (found[0][address], found[1][address]) for address in PAGES}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_asks_as_often_whatever_there_is(numbers: dict[str, tuple[Any, Any]], address: str) -> None:
    few, many = numbers[address]
    assert few == many
    assert many[0] <= PAGES[address][0]
    assert many[1] <= PAGES[address][1]
