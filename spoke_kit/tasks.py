"""What a task's body sees: the manifest, what the tasks before it returned, and where its objects are.

A task is a stored procedure whose handler is a function decorated with ``task``; it returns small JSON.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from spoke_kit import manifest as manifests
from spoke_kit.errors import ConfigError
from spoke_kit.layout import Layout
from spoke_kit.manifest import Manifest
from spoke_kit.names import Names, argument, literal

Json = dict[str, Any]
Handler = Callable[..., str]
#: Bytes that a task may return.
#: https://docs.snowflake.com/en/sql-reference/stored-procedures/system_set_return_value
LONGEST_RETURN = 10_000
#: What is left of a list in a return value that is longer.
SHORT_LIST = 50


@dataclass(frozen=True)
class TaskContext:
    """One task of one run. ``run_id`` is the same in every task and every retry of the run."""

    session: Any
    manifest: Manifest
    names: Names
    run_id: str
    graph: str | None
    parameters: Json = field(default_factory=dict)

    @property
    def run_key(self) -> str:
        """Eight characters that stand for the run in the names of what it makes."""
        return hashlib.sha256(self.run_id.encode()).hexdigest()[:8].upper()

    def result_of(self, task: str) -> Json:
        """What the predecessor ``task`` returned."""
        text = self.session.call("SYSTEM$GET_PREDECESSOR_RETURN_VALUE", argument(f"{self.graph}${task}"))
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ConfigError(f"{task} returned {text!r}, not a mapping")
        return value

    def sql(self, text: str, **values: str) -> list[Any]:
        """Run a statement with this spoke's names filled in; its rows."""
        return list(self.frame(text, **values).collect())

    def frame(self, text: str, **values: str) -> Any:
        """A Snowpark frame of a query with this spoke's names filled in."""
        return self.session.sql(self.names.render(text, **values))


def task(function: Callable[[TaskContext], Json | str]) -> Handler:
    """Make a procedure handler of ``function``.

    In a task graph the configuration is the graph's; called by hand it is the JSON argument. A mapping is
    returned as JSON, text as it is (a branch returns the name of the task that comes next). What is too long
    for a task's return value is cut as ``fitting`` does it.
    """

    @functools.wraps(function)
    def handler(session: Any, config: str | None = None) -> str:
        in_graph = config is None
        raw = session.call("SYSTEM$GET_TASK_GRAPH_CONFIG") if in_graph else config
        context = open_context(session, function.__module__, json.loads(raw or "{}"), in_graph=in_graph)
        value = function(context)
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        if in_graph:
            text = text if isinstance(value, str) else fitting(value)
            session.call("SYSTEM$SET_RETURN_VALUE", text)
        return text

    return handler


def fitting(value: Json) -> str:
    """``value`` as JSON that a task may return.

    Where it is too long, its lists keep their first items, at any depth of mappings, and the number of all
    is beside each as ``<key>_count``. ConfigError when that is too long as well.
    """
    text = json.dumps(value, sort_keys=True)
    if len(text.encode()) <= LONGEST_RETURN:
        return text
    text = json.dumps(_cut(value), sort_keys=True)
    if len(text.encode()) > LONGEST_RETURN:
        raise ConfigError(
            f"a task returned {len(text.encode())} bytes; Snowflake takes {LONGEST_RETURN}",
            "Return less, and write the rest to a table.",
        )
    return text


def _cut(value: Json) -> Json:
    kept: Json = {}
    for key, item in value.items():
        if isinstance(item, list) and len(item) > SHORT_LIST:
            kept[key], kept[f"{key}_count"] = item[:SHORT_LIST], len(item)
        else:
            kept[key] = _cut(item) if isinstance(item, dict) else item
    return kept


def open_context(session: Any, module: str, parameters: Json, *, in_graph: bool) -> TaskContext:
    """The context from a run's configuration. ConfigError when a key is missing."""
    for key in ("layout", "environment"):
        if not parameters.get(key):
            raise ConfigError(f"the configuration of the run has no {key!r}", "Deploy the graph again.")
    package = package_of(module)
    manifest = manifests.load_package(package, parameters["environment"])
    names = Names(Layout.parse(parameters["layout"]), manifest.spoke, parameters["environment"])
    run_id = parameters.get("request_id") or (_run_group(session) if in_graph else "by-hand")
    return TaskContext(session, manifest, names, str(run_id), parameters.get("graph"), parameters)


def package_of(module: str) -> str:
    """The spoke's package: the one above ``module`` that holds spoke.yaml."""
    parts = module.split(".")
    for length in range(len(parts) - 1, 0, -1):
        package = ".".join(parts[:length])
        if resources.files(package).joinpath("spoke.yaml").is_file():
            return package
    raise ConfigError(f"no spoke.yaml above {module}", "A task's function lives in the spoke's package.")


def _run_group(session: Any) -> str:
    rows = session.sql(
        "SELECT TO_CHAR(SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_RUN_GROUP_ID'))"
    ).collect()
    return str(rows[0][0])


def days_in(values: list[str]) -> str:
    """ISO days as a SQL list of dates, refusing anything else."""
    for value in values:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ConfigError(f"{value!r} is not a day like 2025-07-01")
    return ", ".join(f"{literal(value)}::DATE" for value in values)
