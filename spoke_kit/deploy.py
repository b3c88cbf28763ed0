"""Deploys or plans one spoke, in a process of its own with that spoke's Snowflake connection alone.

A directory with a ``shared.yaml`` is the hub's own project, whose feature views are deployed alike.

``python -m spoke_kit.deploy --spoke-dir DIR --environment DEV --stage all --connection-json - [--plan]``
reads the connector's parameters as JSON from standard input and prints one JSON object a line: ``log``,
``sql``, ``change``, and last ``result`` or ``error``. The exit status is 0, or 1 after an error.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from spoke_kit.errors import SpokeError
from spoke_kit.layout import Layout

STAGES = ("tables", "features", "graphs", "all")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="spoke_kit.deploy", description="Deploy one spoke to one environment."
    )
    parser.add_argument("--spoke-dir", type=Path, required=True, help="the directory with spoke.yaml")
    parser.add_argument("--environment", required=True, help="DEV, STAGING or PROD")
    parser.add_argument("--stage", choices=STAGES, default="all", help="what to deploy")
    parser.add_argument(
        "--layout", default="{}", help="the layout of hub.yaml as JSON; default: the usual names"
    )
    parser.add_argument(
        "--connection-json", required=True, help="a file with connection parameters, - for stdin"
    )
    parser.add_argument("--plan", action="store_true", help="say what would change and change nothing")
    return parser.parse_args(argv)


def emitter(stream: TextIO) -> Callable[..., None]:
    """A function that prints one event as a line of JSON."""

    def emit(event: str, **values: Any) -> None:
        stream.write(json.dumps({"event": event, **values}, default=str) + "\n")
        stream.flush()

    return emit


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    emit = emitter(sys.stdout)
    # What a library or the spoke prints must not break the lines of events.
    with contextlib.redirect_stdout(sys.stderr):
        return _main(options, emit)


def _main(options: argparse.Namespace, emit: Callable[..., None]) -> int:
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    warnings.simplefilter("ignore")
    try:
        emit("result", **run(options, emit))
    except SpokeError as error:
        emit("error", code=error.code, message=error.message, hint=error.hint)
        return 1
    except Exception as error:  # noqa: BLE001 - the caller reads one line of JSON, whatever happens
        emit("error", code=_code(error), message=str(error), hint="", detail=traceback.format_exc())
        return 1
    return 0


def _code(error: BaseException) -> str:
    """``snowflake.<number>`` for an error of the account, else the name of its class."""
    found = getattr(error, "sql_error_code", None) or getattr(error, "errno", None)
    return f"snowflake.{found}" if found else type(error).__name__


def run(options: argparse.Namespace, emit: Callable[..., None]) -> dict[str, Any]:
    """Plan or deploy; the values of the ``result`` event."""
    # The clients take seconds to import, and --help needs none.
    from spoke_kit import deployment, shared_deployment
    from spoke_kit.manifest import SHARED_FILE

    text = sys.stdin.read() if options.connection_json == "-" else Path(options.connection_json).read_text()
    if (options.spoke_dir / SHARED_FILE).is_file():
        return shared_deployment.run(
            directory=options.spoke_dir,
            environment=options.environment,
            connection=json.loads(text),
            layout=Layout.parse(options.layout),
            plan_only=options.plan,
            emit=emit,
        )
    return deployment.run(
        spoke_directory=options.spoke_dir,
        environment=options.environment,
        stage=options.stage,
        connection=json.loads(text),
        layout=Layout.parse(options.layout),
        plan_only=options.plan,
        emit=emit,
    )


if __name__ == "__main__":
    sys.exit(main())
