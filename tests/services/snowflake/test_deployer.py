"""The child that runs a spoke's code: what it tells reaches the operation, what it fails with is understood."""

import json
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from services.core.errors import Conflict, Invalid, NotFound, SnowflakeFailed, SpokehubError, Unavailable
from services.snowflake.deployer import _follow, child_environment, spoke_directory


class Step:
    """The step of an operation, which somebody may cancel."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.cancelled = threading.Event()

    def log(self, message: str, level: str = "info") -> None:
        self.told.append(message)

    def progress(self, fraction: float | None, message: str | None = None) -> None:
        raise AssertionError

    def sql(self, text: str, *more: Any, **_: Any) -> None:
        self.told.append((text, *more))

    def check(self) -> None:
        if self.cancelled.is_set():
            raise KeyboardInterrupt


def child(program: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def telling(*events: dict[str, Any], code: int = 0) -> "subprocess.Popen[str]":
    lines = "\n".join(json.dumps(event) for event in events)
    return child(
        f"import sys; sys.stdin.read(); print({lines!r}); print('noise', file=sys.stderr); sys.exit({code})"
    )


def test_events_reach_the_operation() -> None:
    step = Step()
    result = {"event": "result", "bundle": "b.zip", "changes": []}
    with telling(
        {"event": "log", "message": "working"},
        {"event": "sql", "text": "SELECT 1", "query_id": "q", "seconds": 0.5, "rows": 1},
        {"event": "change", "kind": "graph", "name": "G", "action": "create"},
        {"event": "something new"},
        result,
    ) as process:
        assert _follow(step, process, "{}") == result
    assert step.told == ["working", ("SELECT 1", "q", 0.5, 1), "create graph G"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("spoke.graph_busy", Conflict),
        ("spoke.config", Invalid),
        ("snowflake.2003", SnowflakeFailed),
        ("KeyError", Invalid),
    ],
)
def test_what_it_fails_with(code: str, kind: type[SpokehubError]) -> None:
    error = {"event": "error", "code": code, "message": "It is so", "hint": "Do that"}
    with telling(error, code=1) as process, pytest.raises(kind) as caught:
        _follow(Step(), process, "{}")
    assert (caught.value.message, caught.value.hint) == ("It is so", "Do that")


def test_a_child_that_just_ends_may_be_started_again() -> None:
    with telling({"event": "log", "message": "a"}, code=1) as process, pytest.raises(Unavailable) as caught:
        _follow(Step(), process, "{}")
    assert "noise" in caught.value.message


def test_cancelling_ends_a_silent_child() -> None:
    step = Step()
    with child("import time; time.sleep(60)") as process:
        threading.Timer(0.3, step.cancelled.set).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            _follow(step, process, "{}")
        assert process.poll() is not None
        assert time.monotonic() - began < 50


@pytest.mark.parametrize("name", ["nobody", "..", "pudo/../pudo", "shared", ""])
def test_only_spokes_have_a_directory(name: str) -> None:
    with pytest.raises(NotFound) as caught:
        spoke_directory(name)
    assert caught.value.hint == "Known: delivery, pudo."


def test_a_child_finds_the_account_and_sees_no_secret_of_the_service() -> None:
    """Behind a proxy, with a connection from variables, inside a container service."""
    needed = {
        "PATH": "/bin", "HTTPS_PROXY": "http://proxy:3128", "https_proxy": "http://proxy:3128", "NO_PROXY": "x",
        "SNOWFLAKE_HOME": "/h", "SNOWFLAKE_CONNECTIONS": "[a]", "SNOWFLAKE_CONNECTIONS_PROD_USER": "u",
        "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "a", "XDG_CONFIG_HOME": "/c", "PRIVATE_KEY_PASSPHRASE": "p",
        "SNOWFLAKE_RUNNING_INSIDE_SPCS": "true", "SSL_CERT_FILE": "/ca",
    }  # fmt: skip
    secrets = {
        "SPOKEHUB_ADMIN_TOKEN": "t", "SPOKEHUB_DATABASE_URL": "postgresql://u:p@h/d", "SNOWFLAKE_PASSWORD": "p",
        "AWS_SECRET_ACCESS_KEY": "k", "PYTHONPATH": "/elsewhere",
    }  # fmt: skip
    assert child_environment({**needed, **secrets}) == needed
