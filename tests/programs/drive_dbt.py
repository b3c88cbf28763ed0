"""Runs dbt's commands one after another in one process: its modules take seconds to load. JSON in, JSON out."""

import contextlib
import json
import sys

from dbt.cli.main import dbtRunner


def outcome(arguments: list[str]) -> dict[str, object]:
    with contextlib.redirect_stdout(sys.stderr):
        done = dbtRunner().invoke(arguments)
    nodes = getattr(done.result, "results", None) or []
    return {
        "arguments": arguments,
        "success": done.success,
        "error": None if done.exception is None else str(done.exception),
        "nodes": {
            node.node.name: [str(node.status), node.message] for node in nodes if hasattr(node, "node")
        },
    }


print(json.dumps([outcome(arguments) for arguments in json.load(sys.stdin)]))
