"""Starts what runs beside the server: the query history's writer and the task engine."""

from __future__ import annotations

from embedded_account.account import Account


def start(account: Account) -> None:
    """Filled in by the packages that have something to run."""
    from embedded_account import tasks, usage
    from embedded_account.objects.dynamic_table_refresh import refresh_due

    account.refresh_due.append(refresh_due)
    for package in (usage, tasks):
        begin = getattr(package, "start", None)
        if begin is not None:
            begin(account)
