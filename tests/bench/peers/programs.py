"""The programs that are measured: how each is installed, filled and started, and how it is asked for the same.

Each serves from one web process, as Spokehub does, from a store in SQLite, on the loopback, without telemetry.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.load import Ask
from tests.bench.peers.runs import LIMIT, Question, Runs, milliseconds
from tests.bench.processes import free_port, server
from tests.programs.environments import python_of

HERE = Path(__file__).parent
_FILLING_SECONDS = 1800
_GRAPHQL = """
query Latest($limit: Int!, $filter: RunsFilter) {
  runsOrError(limit: $limit, filter: $filter) {
    __typename
    ... on Runs {
      results {
        runId jobName status runConfig creationTime startTime endTime updateTime rootRunId parentRunId
        tags { key value }
      }
    }
  }
}
"""


class Program(ABC):
    """One program with its data in ``folder``, which is made and empty."""

    name: str
    # Its page of runs, and what of that is in the first HTML.
    page: str
    page_is: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def install(self) -> None:
        """Raises ``NotInstalled``."""

    @abstractmethod
    def fill(self, runs: Runs) -> None: ...

    @abstractmethod
    def serving(self) -> Any:
        """A context: its port and process id while it serves."""

    @abstractmethod
    def ask(self, question: Question) -> Ask: ...

    @abstractmethod
    def found(self, answer: Any) -> list[int]:
        """When the runs of an answer were scheduled, in milliseconds, in its order."""


class Spokehub(Program):
    """This one, over the history that the others' runs come from."""

    name = "Spokehub"
    page = "/runs"
    page_is = "page with 50 runs"

    def version(self) -> str:
        return importlib.metadata.version("spokehub")

    def install(self) -> None:
        pass

    def fill(self, runs: Runs) -> None:
        pass

    @contextmanager
    def serving(self) -> Iterator[tuple[int, int]]:
        port = free_port()
        command = [str(Path(sys.executable).parent / "spokehub"), "serve", "--port", str(port)]
        env = os.environ | {"SPOKEHUB_EXAMPLE": "none"}
        url = f"http://127.0.0.1:{port}/readyz"
        with server([*command, "--data", str(self.folder)], url, env, self.folder) as pid:
            yield port, pid

    def ask(self, question: Question) -> Ask:
        address = f"/api/v1/graph-runs?limit={LIMIT}"
        if question.spoke:
            address += f"&spoke={question.spoke}"
        if question.before:
            address += f"&time=..{question.before.isoformat()}"
        return address

    def found(self, answer: Any) -> list[int]:
        return [milliseconds(datetime.fromisoformat(run["scheduled_at"])) for run in answer["items"]]


class Peer(Program):
    """One that has an environment of its own, with the versions in ``PROGRAM.txt``."""

    program: str
    packages: Sequence[str]
    env: dict[str, str] = {}

    def install(self) -> None:
        self.python()

    def python(self) -> Path:
        return python_of(self.program, HERE)

    def version(self) -> str:
        lines = (HERE / f"{self.program}.txt").read_text().splitlines()
        pins = dict(line.partition(" ")[0].split("==") for line in lines if line)
        return ", ".join(f"{package} {pins[package]}" for package in self.packages)

    def environment(self) -> dict[str, str]:
        own = {"DO_NOT_TRACK": "1", "HOME": str(self.folder), **self.env}
        return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | own

    def run(self, script: str, *given: str) -> str:
        """What a script of this folder prints. RuntimeError with the end of its complaint."""
        ran = subprocess.run(
            [str(self.python()), str(HERE / script), *given], capture_output=True, text=True, check=False,
            env=self.environment(), cwd=self.folder, timeout=_FILLING_SECONDS,
        )  # fmt: skip
        if ran.returncode:
            raise RuntimeError(f"{script}: {ran.stderr[-2000:]}")
        return ran.stdout

    @contextmanager
    def started(self, command: str, *given: str, ready: str) -> Iterator[tuple[int, int]]:
        port = free_port()
        whole = [str(self.python().parent / command), *given, "--host", "127.0.0.1", "--port", str(port)]
        with server(whole, f"http://127.0.0.1:{port}{ready}", self.environment(), self.folder) as pid:
            yield port, pid


class MLflow(Peer):
    """Runs of 50 experiments; its own address for a search, newest first."""

    name = "MLflow"
    program = "mlflow"
    packages = ("mlflow",)
    page = "/"
    page_is = "page's frame"
    env = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.uri = f"sqlite:///{folder}/mlflow.db"
        self.experiments: dict[str, int] = {}

    def fill(self, runs: Runs) -> None:
        told = self.run("fill_mlflow.py", str(runs.file), self.uri, str(self.folder / "artifacts"))
        self.experiments = json.loads(told.splitlines()[-1])

    def serving(self) -> Any:
        return self.started(
            "mlflow", "server", "--backend-store-uri", self.uri, "--workers", "1", ready="/health"
        )

    def ask(self, question: Question) -> Ask:
        wanted: dict[str, Any] = {
            "experiment_ids": [
                str(number) for spoke, number in self.experiments.items() if question.spoke in (None, spoke)
            ],
            "max_results": LIMIT,
            "order_by": ["attributes.start_time DESC"],
        }
        if question.before:
            wanted["filter"] = f"attributes.start_time < {milliseconds(question.before)}"
        return "/api/2.0/mlflow/runs/search", json.dumps(wanted)

    def found(self, answer: Any) -> list[int]:
        return [run["info"]["start_time"] for run in answer["runs"]]


class Dagster(Peer):
    """Runs of 50 jobs; its GraphQL. It loads no code, which a list of runs does not need."""

    name = "Dagster"
    program = "dagster"
    packages = ("dagster", "dagster-webserver")
    page = "/runs"
    page_is = "page's frame"

    def environment(self) -> dict[str, str]:
        return super().environment() | {"DAGSTER_HOME": str(self.folder), "DAGSTER_DISABLE_TELEMETRY": "1"}

    def fill(self, runs: Runs) -> None:
        (self.folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        self.run("fill_dagster.py", str(runs.file))

    def serving(self) -> Any:
        return self.started("dagster-webserver", "--empty-workspace", ready="/server_info")

    def ask(self, question: Question) -> Ask:
        wanted: dict[str, Any] = {}
        if question.spoke:
            wanted["pipelineName"] = question.spoke
        if question.before:
            wanted["createdBefore"] = milliseconds(question.before) / 1000
        variables = {"limit": LIMIT, "filter": wanted}
        return "/graphql", json.dumps({"query": _GRAPHQL, "variables": variables})

    def found(self, answer: Any) -> list[int]:
        return [round(run["creationTime"] * 1000) for run in answer["data"]["runsOrError"]["results"]]


PEERS: dict[str, Callable[[Path], Program]] = {"mlflow": MLflow, "dagster": Dagster}
