"""Runs a spoke's own code: in a child process that is given that spoke's connection and nothing else.

The child plans or deploys and prints what it does as lines of JSON; see ``spoke_kit/deploy.py``.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from services.core.errors import Conflict, Invalid, NotFound, SnowflakeFailed, SpokehubError, Unavailable
from services.snowflake.children import ROOT, Child, Children
from services.snowflake.scope import Scope

SPOKES = ROOT / "spokes"
# The hub's own project, of feature views alone.
SHARED = SPOKES / "shared"
# What a child needs of the surroundings, and the connector to find the account; secrets of the service are not among
# it, but for the passphrase of the key that the connection names.
_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "XDG_CONFIG_HOME", "SNOWFLAKE_HOME", "PRIVATE_KEY_PASSPHRASE",
    "SNOWFLAKE_RUNNING_INSIDE_SPCS", "SNOWFLAKE_DISABLE_PLATFORM_DETECTION",
)  # fmt: skip
# The connector reads connections.toml from variables, too: SNOWFLAKE_CONNECTIONS, SNOWFLAKE_DEFAULT_CONNECTION_NAME.
_KEPT_PREFIXES = ("SNOWFLAKE_CONNECTIONS", "SNOWFLAKE_DEFAULT_CONNECTION_NAME")
_CONFLICTS = frozenset(
    {"spoke.graph_busy", "spoke.version_changed", "spoke.data_missing", "spoke.not_offered"}
)
_POLL_SECONDS = 0.2
# One process with the clients serves all deployments of this one.
_CHILDREN = Children()


class Context(Protocol):
    """What is asked of the step of an operation that deploys."""

    def log(self, message: str, level: str = "info") -> None: ...
    def progress(self, fraction: float | None, message: str | None = None) -> None: ...
    def sql(
        self,
        text: str,
        query_id: str | None = None,
        seconds: float | None = None,
        rows: int | None = None,
        error: str | None = None,
    ) -> None: ...
    def check(self) -> None: ...


def spoke_names() -> list[str]:
    """Every spoke whose project lies there."""
    return sorted(path.parent.name for path in SPOKES.glob("*/spoke.yaml"))


def spoke_directory(spoke: str) -> Path:
    """Where a spoke's project lies; NotFound 404 when there is none of the name."""
    known = spoke_names()
    if not spoke.isidentifier() or spoke not in known:
        raise NotFound(
            f"There is no spoke {spoke!r}",
            hint=f"Known: {', '.join(known)}." if known else "Add its directory with a spoke.yaml.",
            code="unknown_spoke",
        )
    return SPOKES / spoke


def deploy(
    context: Context,
    scope: Scope,
    stage: str,
    connection: Mapping[str, Any],
    *,
    directory: Path | None = None,
    plan: bool = False,
) -> dict[str, Any]:
    """Deploy or plan one stage (tables, features, graphs); what the child's ``result`` says.

    ``directory`` is the project's; by default that of the scope's spoke.

    Its statements and messages go to the operation. Raises what it failed with: Conflict for what the
    present state forbids, SnowflakeFailed for what the account refused, Invalid for faults of the spoke.
    """
    arguments = ["--connection-json", "-", "--stage", stage]
    arguments += ["--spoke-dir", str(directory or spoke_directory(scope.spoke))]
    arguments += ["--environment", scope.environment, "--layout", scope.hub.layout.text]
    arguments += ["--plan"] if plan else []
    with _CHILDREN.start(arguments, child_environment(os.environ)) as process:
        return _follow(context, process, json.dumps(dict(connection)))


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of the service's environment that a spoke's code may see."""
    return {
        name: value for name, value in environment.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }


def _follow(context: Context, process: Child, sent: str) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
    reader.start()
    ended = threading.Event()
    watcher = threading.Thread(target=_end_when_stopped, args=(context, process, ended), daemon=True)
    watcher.start()
    last: dict[str, Any] = {}
    try:
        process.stdin.write(sent)
        process.stdin.close()
        for line in process.stdout:
            last = json.loads(line)
            _tell(context, last)
        process.wait()
    finally:
        ended.set()
        if process.poll() is None:
            process.kill()
        watcher.join()
    context.check()
    if last.get("event") == "result":
        return last
    raise _failure(last, "".join(errors))


def _end_when_stopped(context: Context, process: Child, ended: threading.Event) -> None:
    """End the child when its operation is cancelled or the service stops: it may be silent for long."""
    while not ended.wait(_POLL_SECONDS):
        try:
            context.check()
        except BaseException:  # noqa: BLE001 - whatever the reason, the step's own thread raises it again
            process.kill()
            return


def _tell(context: Context, event: Mapping[str, Any]) -> None:
    say: dict[str, Callable[[], None]] = {
        "log": lambda: context.log(event["message"]),
        "sql": lambda: context.sql(event["text"], event["query_id"], event["seconds"], event["rows"]),
        "change": lambda: context.log(f"{event['action']} {event['kind']} {event['name']}"),
    }
    action = say.get(event["event"])
    if action is not None:
        action()


def _failure(event: Mapping[str, Any], errors: str) -> SpokehubError:
    if event.get("event") != "error":
        told = errors.strip().splitlines()
        return Unavailable(
            f"The deployment ended without an answer: {told[-1] if told else 'it said nothing'}",
            hint="Resume the operation.",
            code="deployment_ended",
            detail={"output": told[-20:]},
        )
    code, message, hint = event["code"], event["message"], event["hint"] or None
    if code in _CONFLICTS:
        return Conflict(message, hint=hint, code=code)
    if code.startswith("snowflake."):
        detail = {"errno": int(code.partition(".")[2])}
        return SnowflakeFailed(" ".join(message.split()), hint=hint, detail=detail)
    return Invalid(message, hint=hint, code=code, detail={"traceback": event.get("detail")})
