"""A process that runs graphs in an account without a server, until it is killed or, told so, until all have ended."""

from __future__ import annotations

import sys
from pathlib import Path

import embedded_account.loaded  # noqa: F401  registers what the account answers
from embedded_account.account import Account
from embedded_account.session import Session
from embedded_account.start import start
from embedded_account.statements import execute


def main(data: Path, more: bool) -> None:
    account = Account(data)
    start(account)
    session = Session(account)
    if not account.has_database("D"):
        execute(session, "create database D")
        execute(session, "create table DONE (name varchar, request int)")
        execute(session, "create task ROOT task_auto_retry_attempts = 30 as select 1")
        for i in range(6):
            request = "system$get_task_graph_config('n')::int"
            execute(session, f"create task T{i} after ROOT as insert into DONE select 'T{i}', {request}")
        execute(session, f"create task LAST after {', '.join(f'T{i}' for i in range(6))} as select 1")
        execute(session, "create task FIN finalize = ROOT as select 1")
        execute(session, "select system$task_dependents_enable('ROOT')")
    print("ready", flush=True)
    while more:
        assert account.tasks is not None
        if account.execute('SELECT 1 FROM "__account".history.graph_runs WHERE "state" = \'SCHEDULED\''):
            # Another request would take the place of the one that waits.
            account.tasks.wait_idle(0.02)
            continue
        (count,) = account.execute('SELECT count(DISTINCT "group") FROM "__account".history.graph_runs')[0]
        execute(session, f"execute task D.PUBLIC.ROOT using config = '{{\"n\": {count}}}'")
        print(count, flush=True)
        account.tasks.wait_idle(0.02)
    assert account.tasks is not None
    assert account.tasks.wait_idle(60)
    account.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "more")
