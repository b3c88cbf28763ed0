"""Writes runs in the plainest way."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from services.history.store import naive

FINAL = {"SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED"}


class PlainRuns:
    def __init__(self, history: Any) -> None:
        self.h = history

    def record(self, place: Any, tasks: Any, graphs: Any = (), *, source: str, seen_at: Any) -> Any:
        new = 0
        with self.h.write() as c:
            for r in tasks:
                if r["GRAPH_RUN_GROUP_ID"] is None:
                    continue
                k = [r["GRAPH_RUN_GROUP_ID"], r["ATTEMPT_NUMBER"], r["NAME"]]
                old = c.execute(
                    "select source,state from task_runs where run_id=? and attempt=? and name=?", k
                ).fetchone()
                if old and old[0] == "usage" and source == "live":
                    continue
                if old and old[1] in FINAL and r["STATE"] not in FINAL:
                    continue
                c.execute("delete from task_runs where run_id=? and attempt=? and name=?", k)
                new += not old
                c.execute(
                    "insert into task_runs by name select ? as spoke, ? as environment, ? as database_name, ? as schema_name, ? as graph, ? as run_id, ? as attempt, ? as name, ? as state, ? as scheduled_at, ? as started_at, ? as completed_at, ? as return_value, ? as query_id, ? as source, ? as seen_at",
                    [
                        "alpha",
                        "DEV",
                        r["DATABASE_NAME"],
                        r["SCHEMA_NAME"],
                        r["NAME"].split("$")[0],
                        *k,
                        r["STATE"],
                        naive(r["SCHEDULED_TIME"]),
                        naive(r["QUERY_START_TIME"]),
                        naive(r["COMPLETED_TIME"]),
                        r["RETURN_VALUE"],
                        r["QUERY_ID"],
                        source,
                        naive(seen_at),
                    ],
                )
        return SimpleNamespace(new=new)
