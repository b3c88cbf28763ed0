"""The runs that were seen: in the history, for as long as it keeps them, whatever the account still tells."""

from __future__ import annotations

import threading
from collections import OrderedDict

from services.core.clock import Clock, utc_now
from services.history.reading import RunReader
from services.history.runs import RunWriter
from services.history.types import Place
from services.snowflake.scope import Scope
from services.training.history import Row, runs_of
from services.training.types import GraphRun

# Of how many runs it is remembered what was written last.
_REMEMBERED = 200


class SeenRuns:
    """Reads runs for who looks, and writes what steps are told of them."""

    def __init__(self, reader: RunReader, writer: RunWriter, place: Place, clock: Clock = utc_now) -> None:
        self._reader = reader
        self._writer = writer
        self._place = place
        self._clock = clock
        self._written: OrderedDict[str, object] = OrderedDict()
        self._lock = threading.Lock()

    def newest(self, scope: Scope, graph: str, limit: int) -> list[GraphRun]:
        """The newest runs of a graph with their tasks, each attempt one."""
        place = scope.database, scope.schema.name
        rows = self._reader.task_rows(*place, graph, runs=limit)
        return runs_of(rows, self._reader.graph_rows(*place, graph, runs=limit), self._clock)[:limit]

    def run(self, scope: Scope, graph: str, run_id: str) -> list[GraphRun]:
        """The attempts of one run, the last one first; none when it was not seen."""
        place = scope.database, scope.schema.name
        rows = self._reader.task_rows(*place, graph, run_id=run_id)
        return runs_of(rows, self._reader.graph_rows(*place, graph, run_id=run_id), self._clock)

    def record(self, tasks: list[Row], graphs: list[Row]) -> None:
        """Write what the account told of one run just now, unless it told the same before."""
        run_id = next((str(row["GRAPH_RUN_GROUP_ID"]) for row in (*tasks, *graphs)), None)
        if run_id is None:
            return
        with self._lock:
            if self._written.get(run_id) == (tasks, graphs):
                return
            self._writer.record(self._place, tasks, graphs, source="live", seen_at=self._clock())
            self._written[run_id] = (tasks, graphs)
            self._written.move_to_end(run_id)
            while len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)
