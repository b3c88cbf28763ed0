"""The image: what the Dockerfile copies is there and is all that runs, and its entrypoint hands over the volume."""

import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
SETTINGS = (ROOT / "services" / "core" / "settings.py").read_text()
IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]


def copied() -> dict[str, str]:
    """What the build copies from here, and where to."""
    found = {}
    for line in LINES:
        if line.startswith("COPY ") and "--from" not in line:
            *sources, target = line.split()[1:]
            found.update(dict.fromkeys(sources, target))
    return found


def sent(path: str) -> bool:
    """Whether .dockerignore lets the build see it: the last pattern that matches decides."""
    seen = True
    for line in IGNORED:
        if fnmatch(path, line.lstrip("!")):
            seen = line.startswith("!")
    return seen


def test_what_is_copied_is_there_and_sent() -> None:
    assert {path for path in copied() if not (ROOT / path).exists() or not sent(path)} == set()


def test_all_that_runs_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {one.rstrip("*") for one in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    read = {
        "docs",
        "migrations",
        "mkdocs.yml",
        "templates",
        "hub.yaml",
        "pyproject.toml",
        "requirements.lock",
        project["project"]["readme"],
    }
    assert packages | read | {"deploy/entrypoint.sh"} == set(copied())
    # What a package serves lies in it.
    assert (ROOT / "app" / "static").is_dir()
    assert all(sent(f"{name}/__pycache__/x.pyc") is False for name in packages)


def test_nothing_else_is_sent() -> None:
    for path in (".git", ".venv", "var", "tests", "app/site", "deploy/service.yaml", "Makefile"):
        assert not sent(path), path


def test_each_variable_is_one_that_the_service_reads() -> None:
    (line,) = [line for line in LINES if line.startswith("ENV ")]
    names = [part.partition("=")[0] for part in line.split()[1:]]
    assert names[0] == "PATH"
    assert [name for name in names[1:] if f'"{name}"' not in SETTINGS] == []


def test_the_build_fails_when_a_step_of_it_does() -> None:
    for line in LINES:
        assert "|| true" not in line or "pip" not in line, line


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """Commands that write down how they were called in place of what they do."""
    for name, body in {
        "id": "echo ${FAKE_ID}",
        "chown": 'echo "chown $*" >> log',
        "setpriv": 'echo "setpriv $*" >> log; exit ${FAKE_SETPRIV:-0}',
        "serve": 'echo "serve $*" >> log',
    }.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    return tmp_path


AS = "setpriv --reuid spokehub --regid spokehub --init-groups"
TAKEN = f"{AS} true\nchown -R spokehub:spokehub /vol\n{AS} env HOME=/home/spokehub serve a b\n"


@pytest.mark.parametrize(
    ("environment", "done"),
    [
        ({"FAKE_ID": "0"}, TAKEN),
        ({"FAKE_ID": "10001"}, "serve a b\n"),
        # A container that may not change its user goes on as root.
        ({"FAKE_ID": "0", "FAKE_SETPRIV": "1"}, f"{AS} true\nserve a b\n"),
    ],
)
def test_the_entrypoint_takes_the_volume_over(shell: Path, environment: dict[str, str], done: str) -> None:
    subprocess.run(
        ["/bin/sh", str(ROOT / "deploy" / "entrypoint.sh"), "serve", "a", "b"],
        check=True, cwd=shell,
        env={"PATH": f"{shell}{os.pathsep}/usr/bin{os.pathsep}/bin", "SPOKEHUB_DATA": "/vol", **environment},
    )  # fmt: skip
    assert (shell / "log").read_text() == done
