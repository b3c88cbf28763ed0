"""`spokehub serve` with one thing more: a line on its standard input lets it read 100,000 new task runs.

    python -m tests.bench.serving serve --port PORT --data FOLDER

The rows are those that ``tests.bench.syncing`` tells, stitched and written by the service's own code, in its process,
beside the pages that it answers meanwhile. Each reading prints its seconds as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from app import cli, main
from app.composition import Runtime, compose
from services.history.runs import RunWriter
from services.sync.repository import Readings
from services.sync.sources import TASKS
from services.sync.stitching import Stitching
from tests.bench.syncing import NOW, Told

ROWS = 100_000


def read(runtime: Runtime, told: Told) -> dict[str, Any]:
    """One reading of the account's history of tasks, of seven days."""
    stitching = Stitching(
        Readings(runtime.history),
        RunWriter(runtime.history),
        lambda _, schema: (schema.removesuffix("_DEV").lower(), "DEV"),
        ("HUB",),
        lambda: NOW,
        (TASKS,),
    )
    begun = time.perf_counter()
    [reading, *_] = stitching.usage(told, 7, False, lambda *_: None)
    return {"seconds": round(time.perf_counter() - begun, 3), "rows": reading.rows, "new": reading.new}


def listen(runtime: Runtime) -> None:
    for _ in sys.stdin:
        told = Told(ROWS)
        print(json.dumps(read(runtime, told)), flush=True)


def composing(*given: Any) -> Runtime:
    runtime = compose(*given)
    threading.Thread(target=listen, args=(runtime,), daemon=True).start()
    return runtime


if __name__ == "__main__":
    vars(main)["compose"] = composing
    cli.main()
