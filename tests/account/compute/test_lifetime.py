"""How workers end, and that the pool goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embedded_account.compute import ComputePool, Limits, ProcedureJob

SLEEPERS = """
    import os, subprocess, time
    def main(session):
        own = subprocess.Popen(["sleep", "300"])
        escaped = subprocess.Popen(["sleep", "300"], start_new_session=True)
        print(os.getpid(), own.pid, escaped.pid, flush=True)
        {then}
"""


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def assert_all_gone(stdout: str) -> None:
    pids = [int(word) for word in stdout.split()]
    assert len(pids) == 3
    assert eventually(lambda: not any(map(running, pids)))


def test_timeout_kills_everything_that_was_started(call: Any) -> None:
    outcome = call(SLEEPERS.format(then="time.sleep(300)"), timeout=1.5)
    assert outcome.error.kind == "timeout"
    assert "1.5 second(s)" in outcome.error.message
    assert_all_gone(outcome.stdout)


def test_cancel_kills_everything_that_was_started(call: Any) -> None:
    cancel = threading.Event()
    timer = threading.Timer(1.0, cancel.set)
    timer.start()
    outcome = call(SLEEPERS.format(then="time.sleep(300)"), cancel=cancel)
    timer.join()
    assert outcome.error.kind == "cancelled"
    assert_all_gone(outcome.stdout)


def test_nothing_outlives_a_finished_job(call: Any) -> None:
    outcome = call(SLEEPERS.format(then="return 1"))
    assert outcome.value == 1
    assert_all_gone(outcome.stdout)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("os._exit(7)", "status 7"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("__import__('ctypes').string_at(0)", "SIGSEGV"),
        ("os.kill(os.getppid(), 0) if False else os.abort()", "SIGABRT"),
    ],
)
def test_a_crash_is_an_error_and_the_pool_goes_on(call: Any, action: str, words: str) -> None:
    outcome = call(f"import os\ndef main(session):\n print('before', flush=True)\n {action}")
    assert outcome.error.kind == "crashed"
    assert words in outcome.error.message
    assert outcome.stdout == "before\n"
    assert call("def main(session): return 1").value == 1


def test_processor_time_is_limited(call: Any) -> None:
    outcome = call("def main(session):\n while True: pass", limits=Limits(cpu_seconds=1))
    assert (outcome.error.kind, "SIGXCPU" in outcome.error.message) == ("crashed", True)


def test_memory_is_limited(call: Any) -> None:
    source = "def main(session): return len(bytearray(600_000_000))"
    assert call(source).value == 600_000_000
    assert call(source, limits=Limits(memory_bytes=300_000_000)).error.type == "MemoryError"


def test_file_size_is_limited(call: Any) -> None:
    source = "def main(session):\n open('big', 'wb').write(bytes(2_000_000))"
    assert call(source, limits=Limits(file_bytes=1_000_000)).error is not None


def test_many_at_once(call: Any) -> None:
    with ThreadPoolExecutor(12) as threads:
        source = "import time\ndef main(session, n):\n time.sleep(0.05)\n return n * n"
        jobs = [threads.submit(call, source, n, argument_types=["INT"]) for n in range(24)]
        assert [job.result().value for job in jobs] == [n * n for n in range(24)]


def test_slots_queue_timeouts_and_nested_calls(call: Any) -> None:
    hold = "import time\ndef main(session): time.sleep(300)"
    quick = ProcedureJob("main", "def main(session): return 1", returns="INT")
    with ComputePool(limit=1) as small, ThreadPoolExecutor(1) as threads:
        cancel = threading.Event()
        # Sent while the fork server still imports: it waits for that, not for an error.
        holding = threads.submit(small.run, ProcedureJob("main", hold), None, cancel)
        assert small.wait_ready(60)
        waiting = small.run(quick, timeout=0.3)
        assert waiting.error is not None
        assert waiting.error.kind == "timeout"
        nested = small.run(ProcedureJob("main", "def main(session): return 2", returns="INT", nested=True))
        assert nested.value == 2
        cancel.set()
        assert holding.result().error.kind == "cancelled"
        assert small.run(quick).value == 1

        killed = small.status()["pid"]
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: not running(killed))
        assert small.run(quick).value == 1
        root = Path(small.status()["root"])
        assert root.is_dir()
        assert root.stat().st_mode & 0o777 == 0o700
    assert not root.exists()
    with pytest.raises(RuntimeError, match="closed"):
        small.run(quick)


def test_a_pool_rests_when_it_has_nothing_to_do() -> None:
    def gone(pid: int) -> bool:
        return not Path(f"/proc/{pid}").exists()

    def job(seconds: float) -> ProcedureJob:
        return ProcedureJob(
            "main", f"import time\ndef main(session): time.sleep({seconds}); return 1", returns="INT"
        )

    with ComputePool(start=False, rest_seconds=1) as pool:
        # Longer than it rests, and so is the preload before it.
        assert pool.run(job(2), 60).value == 1
        server = pool._server
        assert server is not None
        deadline = time.monotonic() + 30
        while not gone(server.pid) or server.root.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert pool._server is None
        assert pool.run(job(0), 60).value == 1
        assert pool.status()["pid"] != server.pid


def test_everything_ends_with_the_account(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from embedded_account.compute import ComputePool, ProcedureJob
source = '''
import os, subprocess, time
def main(session):
    print("started", os.getpid(), os.getppid(), subprocess.Popen(["sleep", "300"]).pid, flush=True)
    time.sleep(300)
'''
pool = ComputePool(work_dir=Path(sys.argv[1]))
pool.run(ProcedureJob("main", source))
"""
    account = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:

        def printed() -> list[str]:
            return [text for path in tmp_path.glob("compute-*/1/1/stdout") if (text := path.read_text())]

        assert eventually(lambda: bool(printed()), 90)
        pids = [int(word) for word in printed()[0].split()[1:]]
        assert all(map(running, pids))
    finally:
        account.kill()
        account.wait()
    assert eventually(lambda: not any(map(running, pids)))
    assert eventually(lambda: not list(tmp_path.iterdir()))
