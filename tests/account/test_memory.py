"""What the account's processes do without, and when they give memory back."""

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from embedded_account import memory
from embedded_account.account import Account
from embedded_account.usage import queries

_SERVING = """
import importlib, pkgutil, sys
from embedded_account import memory
memory.begin()
import embedded_account
for module in pkgutil.walk_packages(embedded_account.__path__, "embedded_account."):
    # What is in there is the workers'; what the account uses of it, others import.
    if not module.name.startswith("embedded_account.compute."):
        importlib.import_module(module.name)
from embedded_account.compute import packages, pool
import pyarrow
print(pyarrow.default_memory_pool().backend_name, sorted({"pandas", "boto3", "botocore"} & set(sys.modules)))
"""


def test_the_account_serves_without_what_it_leaves_out() -> None:
    ran = subprocess.run([sys.executable, "-c", _SERVING], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "system []"


def test_what_is_left_out_for_a_while_is_found_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "left_out_here.py").write_text("value = 7")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "left_out_here", raising=False)
    with memory.without(["left_out_here"]), pytest.raises(ModuleNotFoundError, match="left out"):
        import left_out_here
    import left_out_here  # type: ignore[import-not-found]

    assert left_out_here.value == 7


def test_the_history_tells_once_that_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "REST_SECONDS", 0.01)
    monkeypatch.setattr(queries, "FLUSH_SECONDS", 0.01)
    account = Account(tmp_path / "account")
    told: list[int] = []
    rested = threading.Event()

    def rest() -> None:
        told.append(1)
        rested.set()

    log = queries.QueryLog(account, rest)
    stored: list[int] = []
    monkeypatch.setattr(queries, "append", lambda _cursor, _table, rows, _schema: stored.append(len(rows)))
    monkeypatch.setattr(queries, "_row", lambda noted: noted)
    try:
        for number in range(1, 3):
            log._noted.append(SimpleNamespace())  # type: ignore[arg-type]
            log._wake.set()
            assert rested.wait(20)
            rested.clear()
            assert not rested.wait(0.1)
            assert (len(told), stored) == (number, [1] * number)
    finally:
        log.close()
        account.close()
