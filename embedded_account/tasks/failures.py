"""Counts consecutive failures of a graph, and suspends its root when there were too many.

https://docs.snowflake.com/en/sql-reference/parameters (SUSPEND_TASK_AFTER_NUM_FAILURES)
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from embedded_account.tasks import store
from embedded_account.tasks.definition import DEFAULT_SUSPEND_AFTER, TaskDefinition
from embedded_account.tasks.runs import FAILED, SUCCEEDED, GraphRun

if TYPE_CHECKING:
    from embedded_account.account import Account

log = logging.getLogger(__name__)


def counted(account: Account, run: GraphRun, state: str) -> bool:
    """Count the end of a run of a started root; whether it suspends the root."""
    try:
        return _counted(account, run, state)
    except Exception:
        # The root's database may just have been dropped: the run itself still has to end.
        log.exception("failures of root task %s could not be counted", run.root_name)
        return False


def _counted(account: Account, run: GraphRun, state: str) -> bool:
    root = store.read(account, run.root_name)
    if root is None or root.id != run.root_id or not root.started:
        return False
    if state == SUCCEEDED and root.failures:
        store.modify(account, root.name, root.id, lambda task: replace(task, failures=0))
    if state != FAILED:
        return False
    most = DEFAULT_SUSPEND_AFTER if root.suspend_after is None else root.suspend_after
    suspends = 0 < most <= root.failures + 1

    def change(task: TaskDefinition) -> TaskDefinition:
        again = replace(task, failures=task.failures + 1)
        return again.suspended("SUSPENDED_DUE_TO_ERRORS") if suspends else again

    store.modify(account, root.name, root.id, change)
    return suspends
