"""What the service's process does without."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.operations import queue
from services.snowflake.embedded import EmbeddedAccount

_CONNECTED = """
import sys
from services.core.lean import CLOUD, UNUSED, leave_out
leave_out(*UNUSED, *CLOUD)
import app.main, services.snowflake.recording
from snowflake.connector.options import installed_boto, installed_pandas
print(installed_pandas, installed_boto, sorted({*UNUSED, *CLOUD} & set(sys.modules)))
"""


def test_the_service_and_the_driver_load_without_what_is_left_out() -> None:
    ran = subprocess.run([sys.executable, "-c", _CONNECTED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False False []"


_READ = """
import sys
from services.core.lean import CLOUD, UNUSED, leave_out
leave_out(*UNUSED, *CLOUD)
import duckdb
import snowflake.connector
with snowflake.connector.connect(**eval(sys.argv[1])) as connection:
    connection.cursor().execute("CREATE WAREHOUSE WH")
    cursor = connection.cursor().execute(
        "SELECT column1 AS A, column2::TIMESTAMP_LTZ AS B, column3::NUMBER(10, 2) AS C, column4::FLOAT AS D"
        " FROM VALUES (1, '2025-03-01 05:00:00 +00:00', 1.5, 2.5), (NULL, NULL, NULL, NULL)"
    )
    (told,) = cursor.fetch_arrow_batches(force_microsecond_precision=True)
    cursor.execute("SELECT 1, 2.5::FLOAT, '2025-03-01'::DATE")
    print(cursor.fetchall())
with duckdb.connect() as db:
    db.register("told", told)
    print(db.execute("SELECT A, B::VARCHAR, C, D FROM told ORDER BY A").fetchall())
print(sorted({*UNUSED, *CLOUD} & set(sys.modules)))
"""


def test_rows_are_read_without_what_is_left_out(tmp_path: Path) -> None:
    account = EmbeddedAccount(tmp_path / "account", tmp_path / "logs")
    account.start()
    try:
        given = {**account.address().parameters(), "session_parameters": {"TIMEZONE": "UTC"}}
        ran = subprocess.run([sys.executable, "-c", _READ, repr(given)], capture_output=True, text=True)
    finally:
        account.stop()
    assert ran.stdout.splitlines() == [
        "[(1, 2.5, datetime.date(2025, 3, 1))]",
        "[(1, '2025-03-01 05:00:00+00', Decimal('1.50'), 2.5), (None, None, None, None)]",
        "[]",
    ], ran.stderr


_RELEASED = """
import sys
from services.core.lean import one_allocator, release
one_allocator()
import pyarrow
kept = [bytes(2000) for _ in range(50_000)]
last = bytes(2000)
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
del kept
before = resident()
release()
print(pyarrow.default_memory_pool().backend_name, before - resident() > 80)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_what_was_freed_is_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", _RELEASED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "system True"


class _Body:
    def __init__(self, done: list[str], outcome: str) -> None:
        self._done, self._outcome = done, outcome

    def begin(self, operation_id: str) -> list[str]:
        return ["one"]

    def step(self, operation_id: str, name: str) -> str:
        self._done.append(name)
        if self._outcome == "broken":
            raise ValueError(name)
        return self._outcome

    def finish(self, operation_id: str) -> None:
        self._done.append("finish")

    def broke(self, operation_id: str, error: Exception) -> None:
        self._done.append("broke")


def _step(options: dict[str, str], function: Callable[..., Any], *arguments: str) -> Any:
    return function(*arguments)


@pytest.mark.parametrize(
    ("outcome", "state", "done"),
    [
        ("succeeded", "succeeded", ["one", "finish", "released"]),
        ("cancelled", "cancelled", ["one", "released"]),
        ("broken", "failed", ["one", "broke", "released"]),
    ],
)
def test_the_end_of_an_operation_gives_back_what_it_worked_with(
    outcome: str, state: str, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    monkeypatch.setattr(queue, "_body", _Body(found, outcome))
    monkeypatch.setattr(queue, "release", lambda: found.append("released"))
    assert queue._run(SimpleNamespace(run_step=_step), "1") == state  # type: ignore[arg-type]
    assert found == done
