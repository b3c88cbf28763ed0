"""What a worker cannot see or reach."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from embedded_account.compute import ComputePool, landlock

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")


def test_environment_is_stripped(call: Any) -> None:
    outcome = call("import os\ndef main(session): return [dict(os.environ), os.getcwd()]")
    environment, folder = outcome.value
    connector = environment.pop("SNOWFLAKE_DISABLE_PLATFORM_DETECTION")
    assert connector == "true"
    assert sorted(environment) == ["HOME", "LANG", "OMP_NUM_THREADS", "PATH", "TMPDIR"]
    assert environment["HOME"] == folder
    assert environment["TMPDIR"] == f"{folder}/tmp"
    assert not Path(folder).exists()


def test_no_descriptor_but_its_own(call: Any, pool: ComputePool, tmp_path: Path) -> None:
    with open(tmp_path / "database", "w", encoding="utf-8"):
        source = """
            import os
            def main(session):
                names = []
                for fd in range(256):
                    try:
                        names.append(os.readlink(f"/proc/self/fd/{fd}").split(":")[0].rpartition("/")[2])
                    except OSError:
                        pass
                return names
        """
        assert sorted(call(source).value) == ["null", "socket", "stderr", "stdout"]


@needs_landlock
@pytest.mark.parametrize("action", ["open({!r}).read()", "open({!r}, 'a')", "__import__('os').unlink({!r})"])
def test_files_of_the_account_are_out_of_reach(call: Any, tmp_path: Path, action: str) -> None:
    database = tmp_path / "account.duckdb"
    database.write_text("secret")
    outcome = call(f"def main(session): {action.format(str(database))}")
    assert outcome.error.type == "PermissionError"
    assert database.read_text() == "secret"


@needs_landlock
def test_other_processes_are_out_of_reach(call: Any) -> None:
    source = """
        import os
        def main(session, pid):
            tried = []
            for action in (lambda: os.kill(pid, 0), lambda: open(f"/proc/{pid}/environ").read()):
                try:
                    tried.append(repr(action()))
                except PermissionError:
                    tried.append("refused")
            return tried
    """
    expected = ["refused" if landlock.version() >= 6 else "None", "refused"]
    outcome = call(source, os.getpid(), argument_types=["INT"])
    assert outcome.value == expected


def test_a_session_and_generators_of_its_own(call: Any) -> None:
    source = """
        import os, random, resource
        import numpy
        def main(session):
            own = os.getsid(0) == os.getpid() == os.getpgid(0)
            return [own, resource.getrlimit(resource.RLIMIT_CORE), random.random(), numpy.random.rand()]
    """
    first, second = (call(source, packages=["numpy"]).value for _ in range(2))
    assert first[:2] == second[:2] == [True, [0, 0]]
    assert first[2] != second[2]
    assert first[3] != second[3]


def test_fork_server_is_single_threaded(pool: ComputePool) -> None:
    assert pool.wait_ready(60)
    assert pool.status()["threads"] == 1
    assert pool.status()["missing"] == {}


def test_files_that_are_no_files_are_not_read(call: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"value": "stolen"}')
    source = f"""
        import os
        def main(session):
            os.symlink({str(tmp_path / "secret")!r}, "1/result.json")
            os._exit(0)
    """
    error = call(source).error
    assert error.kind == "crashed"
