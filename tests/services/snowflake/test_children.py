"""Children with the clients loaded answer as those that are started by themselves, and end when they should."""

import json
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.snowflake.children import Child, Children, Forked
from services.snowflake.deployer import child_environment

SECONDS = 60


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children()
    yield made
    made.close()


def arguments(folder: Path, stage: str = "tables") -> list[str]:
    return ["--connection-json", "-", "--stage", stage, "--spoke-dir", str(folder), "--environment", "DEV"]


def environment(**more: str) -> dict[str, str]:
    return {**child_environment(os.environ), **more}


def told(child: Child, sent: str) -> list[dict[str, object]]:
    """What it prints after it was sent this."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(sent)
    child.stdin.close()
    return [json.loads(line) for line in child.stdout]


def spoke_that_is_broken(folder: Path) -> Path:
    folder.mkdir()
    (folder / "spoke.yaml").write_text("spoke: [\n")
    return folder


def test_a_fork_tells_what_a_child_by_itself_tells(children: Children, tmp_path: Path) -> None:
    given = arguments(spoke_that_is_broken(tmp_path / "broken"))
    plain = Children()
    plain._usable = False
    events = []
    for starter in (children, plain):
        with starter.start(given, environment()) as child:
            assert isinstance(child, Forked) == (starter is children)
            events.append(told(child, "{}"))
            child.wait(SECONDS)
    assert events[0] == events[1]
    assert [event["event"] for event in events[0]] == ["error"]


@pytest.mark.parametrize("stage", ["tables", "features", "graphs"])
def test_every_stage_can_be_forked(children: Children, tmp_path: Path, stage: str) -> None:
    with children.start(arguments(spoke_that_is_broken(tmp_path / "a"), stage), environment()) as child:
        assert isinstance(child, Forked)
        assert told(child, "{}")[-1]["event"] == "error"


def test_it_is_forked_off_what_sees_no_secret(children: Children, tmp_path: Path) -> None:
    with children.start(arguments(tmp_path), environment()):
        assert children._process is not None
        seen = Path(f"/proc/{children._process.pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0].decode() for entry in seen if entry}
    arrow = {"OPENBLAS_NUM_THREADS", "ARROW_DEFAULT_MEMORY_POOL", "JE_ARROW_MALLOC_CONF"}
    assert names - arrow <= set(environment()) | {"LC_CTYPE"}


def test_two_at_once_and_one_is_ended(children: Children, tmp_path: Path) -> None:
    with (
        children.start(arguments(spoke_that_is_broken(tmp_path / "a")), environment()) as first,
        children.start(arguments(tmp_path), environment()) as second,
    ):
        # Both wait for what they are sent.
        assert (first.poll(), second.poll()) == (None, None)
        second.kill()
        second.wait(SECONDS)
        assert first.poll() is None
        assert told(first, "{}")[-1]["event"] == "error"


def test_of_a_process_with_many_open_files(children: Children, tmp_path: Path) -> None:
    """``select`` knows of 1,024 descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    null = os.open(os.devnull, os.O_RDONLY)
    many = [null]
    try:
        while many[-1] < 1_100:
            many.append(os.dup(null))
        with children.start(arguments(spoke_that_is_broken(tmp_path / "a")), environment()) as child:
            assert isinstance(child, Forked)
            assert child.poll() is None
            assert told(child, "{}")[-1]["event"] == "error"
            child.wait(SECONDS)
    finally:
        for one in many:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_after_a_rest_another_begins(tmp_path: Path) -> None:
    children = Children(rest=0.2)
    for _ in range(2):
        with children.start(arguments(tmp_path), environment()) as child:
            assert isinstance(child, Forked)
            told(child, "{}")
        assert children._process is not None
        folder, end = Path(f"/proc/{children._process.pid}"), time.monotonic() + SECONDS
        while folder.exists():
            assert time.monotonic() < end, "it is a zombie"
            time.sleep(0.05)
        assert children._process.wait(SECONDS) == 0
    children.close()


def test_when_it_was_killed_another_begins(children: Children, tmp_path: Path) -> None:
    with children.start(arguments(tmp_path), environment()) as child:
        told(child, "{}")
    assert children._process is not None
    children._process.send_signal(signal.SIGKILL)
    children._process.wait(SECONDS)
    with children.start(arguments(tmp_path), environment()) as child:
        assert isinstance(child, Forked)
        assert told(child, "{}")[-1]["event"] == "error"


def test_what_was_forked_ends_with_the_service(children: Children, tmp_path: Path) -> None:
    with children.start(arguments(tmp_path), environment()) as child:
        assert child.poll() is None
        children.close()
        child.wait(SECONDS)


def test_where_it_has_threads_children_start_by_themselves(children: Children, tmp_path: Path) -> None:
    """Python imports sitecustomize at its start."""
    (tmp_path / "sitecustomize.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    given = arguments(spoke_that_is_broken(tmp_path / "broken"))
    for _ in range(2):
        with children.start(given, environment(PYTHONPATH=str(tmp_path))) as child:
            assert isinstance(child, subprocess.Popen)
            assert told(child, "{}")[-1]["event"] == "error"
    assert not children._usable


def test_children_of_many_threads(children: Children, tmp_path: Path) -> None:
    given = arguments(spoke_that_is_broken(tmp_path / "broken"))
    answers: list[list[dict[str, object]]] = []

    def ask() -> None:
        with children.start(given, environment()) as child:
            answers.append(told(child, "{}"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(answers) == 8
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][-1]["event"] == "error"
