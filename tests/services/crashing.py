"""A program whose operation test_crash.py kills in the middle; arguments: database URLs and a folder."""

import sys
import time
from pathlib import Path
from typing import Any

from services.db.engine import Database
from services.db.migrate import migrate
from services.operations import OperationKind, Operations, Params, Registry, Step, StepContext

LINES = 12


class Nothing(Params):
    folder: str


def effect(folder: str, name: str) -> None:
    with (Path(folder) / "effects.txt").open("a") as file:
        file.write(f"{name}\n")


def quick(context: StepContext, params: Nothing) -> Any:
    context.log(f"{context.step} at work")
    effect(params.folder, context.step)
    return {"step": context.step}


def slow(context: StepContext, params: Nothing) -> Any:
    for line in range(LINES):
        context.log(f"line {line}")
        context.progress((line + 1) / LINES)
        time.sleep(0.08)
    effect(params.folder, context.step)
    return {"lines": LINES}


def lead(context: StepContext, params: Nothing) -> Any:
    return context.run_child("part.do", params)


REGISTRY = Registry(
    [
        OperationKind(
            "part.do",
            "Part",
            Nothing,
            [Step("one", "One", quick), Step("two", "Two", slow), Step("three", "Three", quick)],
            queue_key=lambda p: "part",
        ),
        OperationKind(
            "whole.do",
            "Whole",
            Nothing,
            [Step("before", "Before", quick), Step("lead", "Lead", lead), Step("after", "After", quick)],
            queue_key=lambda p: "whole",
        ),
    ]
)


def main(database_url: str, operations_url: str, folder: str) -> None:
    database = Database(database_url)
    migrate(database)
    operations = Operations(REGISTRY, database, url=operations_url)
    operations.start()
    view = operations.latest("whole.do")
    if view is None:
        view = operations.submit("whole.do", {"folder": folder}, actor="ada", idempotency_key="once")
    operations.wait(view.id, 60)
    operations.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
