"""Graphs of plain SQL tasks in an embedded account, reached as the service reaches it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services.core.hub import load_declaration
from services.core.settings import AccountSettings
from services.db.engine import Database
from services.history import History
from services.history.reading import RunReader
from services.history.runs import RunWriter
from services.operations import OperationKind, Operations, Registry, Step
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.pace import Pace
from services.snowflake.scope import Scope
from services.training.history import runs_of
from services.training.operations import Run, TrainingOperations
from services.training.repository import TaskGraphs
from services.training.seen import SeenRuns
from services.training.service import Training
from services.training.types import GraphRun
from spoke_kit.manifest import Manifest
from tests.manifests import TASK, small

PACE = Pace(first=0.05, longest=0.2, patience=10.0, ending=60.0)
HUB = load_declaration()
WAREHOUSE = HUB.warehouse.name
GRAPH = "TRAINING_DAG"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSource]:
    folder = tmp_path_factory.mktemp("account")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    account.address()
    source = ConnectionSource(AccountSettings(), account)
    for name in HUB.databases:
        source.query(f"CREATE DATABASE IF NOT EXISTS {name}")
    source.query(f"CREATE WAREHOUSE IF NOT EXISTS {WAREHOUSE}")
    yield source
    source.close()
    account.stop()


TRAINED = small(
    models={"M": {"kind": "other", "metric": {"name": "m"}}},
    graphs={GRAPH: {"trains": "M", "tasks": {"A": TASK}}},
)


@dataclass
class World:
    """One spoke's schema, and the services that speak of it. It is the spokes' service itself."""

    source: ConnectionSource
    name: str
    history: History
    manifest: Manifest = TRAINED
    asked: list[str] = field(default_factory=list)
    operations: Operations | None = None
    training: Training = field(init=False)

    def __post_init__(self) -> None:
        operations: Any = self.operations
        seen = SeenRuns(RunReader(self.history), RunWriter(self.history), lambda database, schema: None)
        self.training = Training(self, self.scope, operations, PACE, seen)

    @property
    def here(self) -> Scope:
        return self.scope(self.name, "DEV")

    def scope(self, spoke: str, environment: str) -> Scope:
        return Scope(HUB, spoke, environment, self.manifest)

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """What the services ask."""
        self.asked.append(text)
        return self.source.query(text, values, warehouse=WAREHOUSE)

    def run(self, text: str) -> list[dict[str, Any]]:
        """Somebody else's statement, in the spoke's schema."""
        return self.source.query(
            text, database=self.here.database, schema=self.here.schema.name, warehouse=WAREHOUSE
        )

    def deploy(self, *bodies: str, finalizer: str | None = None, options: str = "") -> None:
        """A root with a task for each body after it, as A, B, … and a finalizer."""
        self.run(f"CREATE OR REPLACE TASK {GRAPH} {options} AS SELECT 1")
        for name, body in zip("ABCD", bodies, strict=False):
            self.run(f"CREATE OR REPLACE TASK {GRAPH}${name} AFTER {GRAPH} AS {body}")
        if finalizer:
            self.run(f"CREATE OR REPLACE TASK {GRAPH}$END FINALIZE = {GRAPH} AS {finalizer}")
        self.run(f"SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('{GRAPH}')")
        self.run(f"ALTER TASK {GRAPH} SUSPEND")

    def execute(self, request: str | None = None) -> None:
        """Somebody else's EXECUTE TASK."""
        config = f" USING CONFIG = '{json.dumps({'request_id': request})}'" if request else ""
        self.run(f"EXECUTE TASK {GRAPH}{config}")

    def seen(self) -> list[tuple[int, str, dict[str, str]]]:
        """The same of what was written, which pages show."""
        return _brief(self.training.runs(self.name, "DEV", GRAPH))

    def runs(self) -> list[tuple[int, str, dict[str, str]]]:
        """The attempts, the first one first: number, state, and those of the tasks that ran."""
        return _brief(self.told())

    def told(self) -> list[GraphRun]:
        """The runs as the account tells of them now, newest first."""
        graphs = TaskGraphs(self)
        told = graphs.graph_runs(self.here, [GRAPH])
        return runs_of(graphs.history(self.here, GRAPH), told)

    def until(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, self.runs()
            time.sleep(0.02)
        return found

    def submit(self, **more: Any) -> str:
        params = {"spoke": self.name, "environment": "DEV", "graph": GRAPH, **more}
        assert self.operations is not None
        return self.operations.submit("training.run", params, actor="ada").id


def _brief(runs: Sequence[GraphRun]) -> list[tuple[int, str, dict[str, str]]]:
    return [
        (run.attempt, run.state, {one.name.partition("$")[2] or "root": one.state for one in run.tasks})
        for run in reversed(runs)
    ]


@pytest.fixture
def world(source: ConnectionSource, database: Database, tmp_path: Path) -> Iterator[World]:
    operations = Operations(
        Registry(), database, url=f"sqlite:///{tmp_path / 'operations.sqlite'}", source=source
    )
    history = History(tmp_path / "history.duckdb")
    history.open()
    world = World(source, f"T{next(_NUMBERS)}", history, operations=operations)
    source.query(f"CREATE SCHEMA {world.here.schema}")
    nobody: Any = None
    spokes: Any = world
    kinds = TrainingOperations(world.training, spokes, nobody, nobody, nobody)
    steps = [
        Step("start", "Start", kinds.begin, kinds.stop_run),
        Step("follow", "Follow", kinds.end, kinds.stop_run),
    ]

    def check(params: Run) -> None:
        if not params.wait:
            world.training.require_free(world.scope(params.spoke, params.environment), GRAPH)

    train = OperationKind(
        "training.run", "Train", Run, steps, queue_key=lambda params: params.spoke, validate=check
    )
    operations.registry.add(train)
    operations.registry.add(next(kind for kind in kinds.kinds() if kind.kind == "graph.retry"))
    operations.start()
    yield world
    assert operations.stop(20)
    history.close()
    source.query(f"DROP SCHEMA {world.here.schema}")
