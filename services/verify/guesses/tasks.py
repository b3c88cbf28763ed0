"""Task graphs: what runs after what, which row says so, and where CONFIG stands.

https://docs.snowflake.com/en/user-guide/tasks-graphs
"""

from __future__ import annotations

import json

from services.snowflake.identifiers import literal, quote
from services.verify.graphs import Graph, Task, states
from services.verify.place import Place, Refused, Row
from services.verify.types import Guess, Said, decided, undecided

_NEVER = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('{}') = 'never'"
_SAYS_YES = "CALL SYSTEM$SET_RETURN_VALUE('yes')"
_FAILS = "SELECT * FROM NO_SUCH_TABLE_ANYWHERE"


def _skipping(graph: str) -> str:
    return "WHEN " + _NEVER.format(f"{graph}_ROOT")


JOIN = Graph(
    "JOINED",
    Task("ROOT", _SAYS_YES),
    (
        Task("SKIPPED", after=("ROOT",), clause=_skipping("JOINED")),
        Task("RUN", after=("ROOT",)),
        Task("JOIN", after=("SKIPPED", "RUN")),
    ),
)
CHAIN = Graph(
    "CHAIN",
    Task("ROOT", _SAYS_YES),
    (Task("SKIPPED", after=("ROOT",), clause=_skipping("CHAIN")), Task("BELOW", after=("SKIPPED",))),
)
SUSPENDED = Graph(
    "HALTED",
    Task("ROOT"),
    (Task("SUSPENDED", after=("ROOT",), suspended=True), Task("BELOW", after=("SUSPENDED",))),
)
FAILING = Graph(
    "FAILING",
    Task("ROOT"),
    (
        Task("BROKEN", _FAILS, after=("ROOT",)),
        Task("BELOW", after=("BROKEN",)),
        Task("LAST", finalizes=True),
    ),
)
CONFIGURED = Graph("CONFIGURED", Task("ROOT", clause=f"CONFIG = {literal(json.dumps({'declared': 1}))}"))
OVERLAPPING = Graph("OVERLAPPING", Task("ROOT", "CALL SYSTEM$WAIT(20)"))
CANCELLED = Graph("CANCELLED", Task("ROOT"), (Task("LONG", "CALL SYSTEM$WAIT(45)", after=("ROOT",)),))
_GRAPHS = (JOIN, CHAIN, SUSPENDED, FAILING, CONFIGURED)


def prepare(place: Place) -> None:
    """Start them together: each run waits some seconds for the scheduler of a live account."""
    for graph in (*_GRAPHS, OVERLAPPING):
        graph.make(place)
    for graph in _GRAPHS:
        graph.start(place, {"given": 2} if graph is CONFIGURED else None)
    for number in (1, 2, 3):
        OVERLAPPING.start(place, {"number": number})


def join_after_skipped(place: Place) -> Said:
    return _ended(
        place, JOIN, {"ROOT": "SUCCEEDED", "SKIPPED": "SKIPPED", "RUN": "SUCCEEDED", "JOIN": "SUCCEEDED"}
    )


def below_all_skipped(place: Place) -> Said:
    return _ended(place, CHAIN, {"ROOT": "SUCCEEDED", "SKIPPED": "SKIPPED", "BELOW": "SKIPPED"})


def below_suspended(place: Place) -> Said:
    return _ended(place, SUSPENDED, {"ROOT": "SUCCEEDED", "BELOW": "SUCCEEDED"})


def below_failed(place: Place) -> Said:
    return _ended(place, FAILING, {"ROOT": "SUCCEEDED", "BROKEN": "FAILED", "LAST": "SUCCEEDED"})


def retried(place: Place) -> Said:
    before = FAILING.finish(place)
    if before is None:
        return undecided("the run did not end in time")
    group = before[0]["GRAPH_RUN_GROUP_ID"]
    place.rows(f"EXECUTE TASK {FAILING.root_name(place)} RETRY GRAPH RUN GROUP {literal(str(group))}")
    rows = FAILING.finish(place, runs=2)
    if rows is None:
        return undecided("the retry did not end in time")
    again = [row for row in rows if row["ATTEMPT_NUMBER"] == 2]
    groups = {row["GRAPH_RUN_GROUP_ID"] for row in rows}
    told = ", ".join(f"{row['NAME']} {row['STATE']} ({row['SCHEDULED_FROM']})" for row in again)
    return decided(
        groups == {group}
        and states(again) == {"BROKEN": "FAILED", "LAST": "SUCCEEDED"}
        and {row["SCHEDULED_FROM"] for row in again if row["NAME"] == "BROKEN"} == {"MANUAL RETRY"},
        f"attempt 2: {told or 'no rows'}; {len(groups)} group(s)",
    )


def config_of_history(place: Place) -> Said:
    rows = CONFIGURED.finish(place)
    if not rows:
        return undecided("the run did not end in time")
    found = _config(rows[0])
    return decided(found == {"declared": 1, "given": 2}, f"TASK_HISTORY.CONFIG is {rows[0]['CONFIG']}")


def config_of_graphs(place: Place) -> Said:
    if CONFIGURED.finish(place) is None:
        return undecided("the run did not end in time")
    name, database = CONFIGURED.called("ROOT"), quote(str(place.schema.schema))
    found = place.rows(
        f"SELECT CONFIG FROM TABLE({database}.INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS("
        f"ROOT_TASK_NAME => {literal(name)}))"
    )
    config = found[0]["CONFIG"] if found else None
    return decided(bool(found), f"COMPLETE_TASK_GRAPHS.CONFIG is {config}; the service does not rely on it")


def scheduled_from(place: Place) -> Said:
    rows = CONFIGURED.finish(place)
    if not rows:
        return undecided("the run did not end in time")
    word = rows[0]["SCHEDULED_FROM"]
    return decided(word in ("EXECUTE_TASK", "EXECUTE TASK"), f"SCHEDULED_FROM is {word}")


def waiting_is_replaced(place: Place) -> Said:
    rows = OVERLAPPING.finish(place, runs=2)
    if rows is None:
        return undecided("the runs did not end in time")
    numbers = sorted(int(_config(row).get("number", 0)) for row in rows if row["STATE"] == "SUCCEEDED")
    return decided(numbers == [1, 3], f"of three requests these ran: {numbers}")


def cancel_reaches_one(place: Place) -> Said:
    CANCELLED.make(place)
    CANCELLED.start(place)
    root, long = (str(place.name(CANCELLED.called(task))) for task in ("ROOT", "LONG"))

    def executing() -> bool:
        return states(CANCELLED.history(place)).get("LONG") == "EXECUTING"

    if not place.wait(executing):
        return undecided("the task that was to be cancelled was not seen executing")
    place.rows(f"SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS({literal(root)})")
    untouched = executing()
    place.rows(f"SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS({literal(long)})")
    rows = CANCELLED.finish(place)
    if rows is None:
        return undecided("the run did not end in time")
    after = states(rows).get("LONG")
    return decided(
        untouched and after == "CANCELLED",
        f"after cancelling the root the task was {'executing' if untouched else 'not executing'},"
        f" after cancelling the task {after}",
    )


def resumed_without_schedule(place: Place) -> Said:
    root = JOIN.root_name(place)
    try:
        place.rows(f"ALTER TASK {root} RESUME")
        place.rows(f"ALTER TASK {root} SUSPEND")
    except Refused as refused:
        return decided(False, str(refused))
    return decided(True, "a root without a schedule was resumed")


def _ended(place: Place, graph: Graph, expected: dict[str, str]) -> Said:
    rows = graph.finish(place)
    if rows is None:
        return undecided("the run did not end in time")
    found = states(rows, attempt=1)
    return decided(found == expected, ", ".join(f"{name} {state}" for name, state in found.items()))


def _config(row: Row) -> dict[str, int]:
    return dict(json.loads(row["CONFIG"] or "{}"))


GUESSES = (
    Guess(
        "tasks.join",
        "A task runs if one of its predecessors succeeded and the others were skipped.",
        join_after_skipped,
        prepare,
    ),
    Guess(
        "tasks.all_skipped",
        "A task whose predecessors were all skipped is SKIPPED, with a row.",
        below_all_skipped,
    ),
    Guess("tasks.suspended", "A suspended predecessor counts as succeeded.", below_suspended),
    Guess(
        "tasks.below_failed",
        "Below a failed task nothing runs and no rows appear; the finalizer runs.",
        below_failed,
    ),
    Guess("tasks.config", "CONFIG of TASK_HISTORY holds what USING CONFIG gave, merged.", config_of_history),
    Guess("tasks.graph_config", "COMPLETE_TASK_GRAPHS tells of a run once it is over.", config_of_graphs),
    Guess(
        "tasks.scheduled_from",
        "SCHEDULED_FROM of a started run is EXECUTE_TASK or EXECUTE TASK.",
        scheduled_from,
    ),
    Guess(
        "tasks.resume_root",
        "A root without a schedule may be resumed.",
        resumed_without_schedule,
    ),
    Guess(
        "tasks.cancel",
        "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS reaches the named task alone.",
        cancel_reaches_one,
    ),
    Guess(
        "tasks.replaced",
        "A run asked for while one executes waits; a further one replaces the waiting one.",
        waiting_is_replaced,
    ),
    Guess(
        "tasks.retry",
        "RETRY GRAPH RUN GROUP repeats the failed part as attempt 2 of the same group, from MANUAL RETRY.",
        retried,
    ),
)
