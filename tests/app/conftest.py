"""An application over a fresh database, with kinds of operation made for the tests and no account."""

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from services.core.errors import Conflict
from services.core.settings import AccountSettings, Settings, read_settings
from services.operations import OperationKind, Params, Registry, Step, StepContext

with warnings.catch_warnings():
    # It would rather have another HTTP client, which nothing else here needs.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient


class Work(Params):
    spoke: str = "pudo"
    environment: str = "DEV"
    number: int = 0
    fail: bool = False


class Gate:
    """Lets a test hold an operation in its step."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()


def registry(gate: Gate) -> Registry:
    def first(context: StepContext, params: Work) -> Any:
        context.log("working")
        context.sql("SELECT 1", "q-1", 0.25, 1)
        while not gate.open.is_set():
            context.sleep(0.05)
        if params.fail:
            raise Conflict("It cannot be", hint="Change it")
        return {"number": params.number}

    def check(params: Work) -> None:
        if params.number < 0:
            raise Conflict("There is nothing below zero", hint="Send zero or more")

    steps = [Step("first", "First", first)]
    kind = OperationKind("work.do", "Work", Work, steps, queue_key=lambda p: p.spoke, validate=check)
    return Registry([kind])


@pytest.fixture
def gate() -> Gate:
    return Gate()


def nowhere(folder: Path) -> Settings:
    """Settings of a service whose account cannot be reached."""
    settings = read_settings({"SPOKEHUB_DATA": str(folder), "SPOKEHUB_EXAMPLE": "none"})
    return replace(settings, account=AccountSettings(kind="named", connection="nowhere"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return nowhere(tmp_path)


@contextmanager
def served(settings: Settings, gate: Gate) -> Iterator[TestClient]:
    app = create_app(settings, registry(gate))
    add_work_route(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        at_work(app)
        yield client
        gate.open.set()


@pytest.fixture
def client(settings: Settings, gate: Gate) -> Iterator[TestClient]:
    with served(settings, gate) as client:
        yield client


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client for tests that leave no trace which another of the same file would see."""
    with served(nowhere(tmp_path_factory.mktemp("common")), Gate()) as client:
        yield client


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The application with all its kinds of operation."""
    app = create_app(nowhere(tmp_path_factory.mktemp("service")))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        at_work(app)
        yield client


def at_work(app: Any) -> None:
    """Return once operations are worked on: the queue is one a process, and another application may start next."""
    end = time.monotonic() + 30
    while not app.state.domains.operations.started:
        assert time.monotonic() < end, "the queue does not start"
        time.sleep(0.02)


def add_work_route(app: Any) -> None:
    """What a domain's module does: parse, submit, answer 202."""
    from fastapi import APIRouter

    from app.dependencies import SubmitDep

    router = APIRouter(prefix="/api/v1/work")

    @router.post("", status_code=202)
    def start(submit: SubmitDep, body: Work) -> Any:
        return submit("work.do", body)

    @router.get("/broken")
    def broken() -> None:
        raise KeyError("a secret of the service")

    app.include_router(router)
