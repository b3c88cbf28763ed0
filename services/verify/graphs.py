"""Small task graphs that probes run: made, started, and followed until nothing of them is under way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.snowflake.identifiers import like_pattern, literal, quote
from services.verify.place import Place, Row

_UNDER_WAY = ("SCHEDULED", "EXECUTING")
_READ = (
    "NAME, STATE, ATTEMPT_NUMBER, GRAPH_RUN_GROUP_ID, CONFIG, SCHEDULED_FROM, RETURN_VALUE, ERROR_CODE,"
    " SCHEDULED_TIME, COMPLETED_TIME"
)


@dataclass(frozen=True, slots=True)
class Task:
    """``clause`` is what stands before AS; ``after`` names tasks of the same graph, ``finalizes`` its root."""

    name: str
    body: str = "SELECT 1"
    after: tuple[str, ...] = ()
    clause: str = ""
    finalizes: bool = False
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A root and its tasks, in the order in which they can be made. Names are prefixed by the graph's."""

    name: str
    root: Task
    tasks: tuple[Task, ...] = ()

    def called(self, task: str) -> str:
        return f"{self.name}_{task}"

    def make(self, place: Place) -> None:
        warehouse = quote(place.warehouse)
        for task in (self.root, *self.tasks):
            place.rows(
                f"CREATE OR REPLACE TASK {place.name(self.called(task.name))} WAREHOUSE = {warehouse}"
                f" {self._place_in_graph(place, task)} {task.clause} AS {task.body}"
            )
        for task in self.tasks:
            if not task.suspended:
                place.rows(f"ALTER TASK {place.name(self.called(task.name))} RESUME")

    def start(self, place: Place, config: Mapping[str, object] | None = None) -> None:
        using = f" USING CONFIG = {literal(json.dumps(config))}" if config is not None else ""
        place.rows(f"EXECUTE TASK {self.root_name(place)}{using}")

    def root_name(self, place: Place) -> str:
        return str(place.name(self.called(self.root.name)))

    def history(self, place: Place) -> list[Row]:
        """The rows of TASK_HISTORY of all its runs, oldest first; NAME without the graph's prefix."""
        shown = place.rows(
            f"SHOW TASKS LIKE {like_pattern(self.called(self.root.name))} IN SCHEMA {place.schema}"
        )
        if not shown:
            return []
        found = place.rows(
            f"SELECT {_READ} FROM TABLE({quote(str(place.schema.schema))}.INFORMATION_SCHEMA.TASK_HISTORY("
            f"ROOT_TASK_ID => {literal(shown[0]['id'])}, RESULT_LIMIT => 1000)) ORDER BY SCHEDULED_TIME, NAME"
        )
        return [{**row, "NAME": row["NAME"].removeprefix(f"{self.name}_")} for row in found]

    def finish(self, place: Place, *, runs: int = 1) -> list[Row] | None:
        """The history once that many runs or attempts are over; None when patience was over first."""
        found: list[Row] = []

        def ended() -> bool:
            complete = place.rows(
                f"SELECT STATE FROM TABLE({quote(str(place.schema.schema))}.INFORMATION_SCHEMA."
                f"COMPLETE_TASK_GRAPHS(ROOT_TASK_NAME => {literal(self.called(self.root.name))}))"
            )
            found[:] = self.history(place)
            return len(complete) >= runs and not any(row["STATE"] in _UNDER_WAY for row in found)

        return found if place.wait(ended) else None

    def _place_in_graph(self, place: Place, task: Task) -> str:
        if task.finalizes:
            return f"FINALIZE = {self.root_name(place)}"
        after = ", ".join(str(place.name(self.called(name))) for name in task.after)
        return f"AFTER {after}" if after else ""


def states(rows: list[Row], attempt: int | None = None) -> dict[str, str]:
    """The newest state of each task, of one attempt where one is named."""
    return {row["NAME"]: row["STATE"] for row in rows if attempt in (None, row["ATTEMPT_NUMBER"])}
