"""Costs in a real history: five weeks of the sample's spoke, of other spokes and of nobody's."""

from __future__ import annotations

import atexit
import random
import sys
import tempfile
import weakref
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[2]))

from sample_account import Spokes

from services.core.hub import load_declaration
from services.core.revision import Revision
from services.costs.rolling import roll_up
from services.costs.service import Costs
from services.db.engine import Database
from services.db.records import Record
from services.history import History
from services.history.store import naive
from tests.services.costs.usage import DAY0, WAREHOUSE, Metered, OnHour, PoolHour, Query, Task, Usage, write

NOW = datetime(2025, 7, 20, 12, tzinfo=UTC)
GRAPHS = (
    ("pudo", "TRAINING_DAG", 90),
    ("pudo", "INFERENCE_DAG", 20),
    ("dune", "A_GRAPH_WITH_A_LONG_NAME_OF_ITS_OWN", 40),
)


class Known(Spokes):
    """The sample's spoke as costs know it."""

    hub = load_declaration()

    def scope(self, spoke: str, environment: str) -> SimpleNamespace:
        graphs = {
            "TRAINING_DAG": SimpleNamespace(trains="CAPACITY_MODEL", predicts=None),
            "INFERENCE_DAG": SimpleNamespace(trains=None, predicts="CAPACITY"),
        }
        return SimpleNamespace(manifest=SimpleNamespace(graphs=graphs))


def costs(empty: bool = False) -> Costs:
    """The service; its budgets are the caller's own."""
    folder = tempfile.TemporaryDirectory(prefix="sample-costs-")
    catalogue = Path(folder.name) / "catalogue.sqlite"
    catalogue.write_bytes(_catalogue(empty))
    database = Database(f"sqlite:///{catalogue}", revision=Revision())
    found = Costs(_history(empty), database, Known(), lambda: NOW)  # type: ignore[arg-type]
    # The tests make hundreds.
    weakref.finalize(found, folder.cleanup)
    weakref.finalize(found, database.close)
    return found


@cache
def _catalogue(empty: bool) -> bytes:
    """The file of a database with the sample's budgets."""
    with tempfile.TemporaryDirectory(prefix="sample-costs-") as folder:
        catalogue = Path(folder) / "catalogue.sqlite"
        database = Database(f"sqlite:///{catalogue}", revision=Revision())
        Record.metadata.create_all(database.engine)
        if not empty:
            found = Costs(_history(empty), database, Known(), lambda: NOW)  # type: ignore[arg-type]
            found.set_budget("*", "*", 60, 0.8, "ada")
            found.set_budget("pudo", "DEV", 8, 0.8, "ada")
        database.close()
        return catalogue.read_bytes()


@cache
def _history(empty: bool) -> History:
    folder = tempfile.TemporaryDirectory(prefix="sample-costs-")
    atexit.register(folder.cleanup)
    history = History(Path(folder.name) / "history.duckdb")
    history.open()
    atexit.register(history.close)
    if not empty:
        usage = _weeks()
        places = {("pudo", "DEV"): ("HUB", "PUDO_DEV"), ("dune", "DEV"): ("HUB", "DUNE_DEV")}
        with history.write() as db:
            write(db, usage)
            roll_up(db, usage.days(), places)
            for name in ("usage.metering_history", "usage.query_attribution_history"):
                db.execute("INSERT INTO sync_marks VALUES (?, ?, ?, NULL)", [name, naive(NOW), naive(NOW)])
            at = naive(NOW)
            db.execute(
                "INSERT INTO prediction_copies (id, spoke, environment, prediction, as_of)"
                " VALUES (1, 'pudo', 'DEV', 'CAPACITY', ?)",
                [at],
            )
            db.execute(
                "INSERT INTO prediction_times (copy_id, day, t, n, scored, alerts, open_alerts, body)"
                " VALUES (1, ?, ?, 4000, 0, 0, 0, '{}')",
                [NOW.date(), at],
            )
    return history


def _weeks() -> Usage:
    """Each day some runs, statements of nobody's, an hour of idle time."""
    rng = random.Random(7)
    usage = Usage()
    last = round((NOW - DAY0.replace(tzinfo=UTC)).total_seconds() // 3600)
    for hour in range(last - 24 * 40, last, 6):
        charged = 0
        for number, (spoke, graph, size) in enumerate(GRAPHS):
            if graph == "TRAINING_DAG" and hour % 24:
                continue
            identity = (hour - last) * 10 + number
            task = Task(identity, f"{graph}$FIT", f"{10**6 + identity}", hour * 60 + 5, 10, (spoke, "DEV"))
            nanos = round(size * 1e7 * rng.uniform(0.5, 1.5))
            usage.tasks.append(task)
            usage.queries.append(Query(identity, "SPOKEHUB_WH", hour * 60 + 15, nanos, task.query))
            charged += nanos
        other = round(1e8 * rng.uniform(0.5, 1.5))
        usage.queries.append(Query((hour - last) * 10 + 9, "SPOKEHUB_WH", hour * 60 + 20, other))
        charged += other
        on = charged + round(4e8 * rng.uniform(0.5, 1.5))
        usage.on.append(OnHour(hour, "SPOKEHUB_WH", on, charged))
        usage.metering.append(Metered(hour, WAREHOUSE, "SPOKEHUB_WH", on + 12_345_678, 12_345_678))
        if hour % 24 == 0:
            usage.pools.append(PoolHour("PUDO_DEV_POOL", hour, 300_000_000))
            usage.metering.append(
                Metered(hour, "SNOWPARK_CONTAINER_SERVICES", "PUDO_DEV_POOL", 300_000_000, 0)
            )
            usage.metering.append(Metered(hour, "AUTO_CLUSTERING", "T", 50_000_000, 0, "DUNE_DEV"))
    return usage
