"""Virtual environments of programs that are not the project's own, each from its own pinned versions.

Those that the README names have their versions here, those that are measured beside it in ``tests.bench.peers``. They
stand in ``.venv-programs`` beside the project's own, and are made when they are first needed: by a test, by a
measurement, or by ``python -m tests.programs.environments``. A folder's name ends with the hash of its versions, so
new versions make a new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parent.parent / ".venv-programs"
PROGRAMS = ("dbt", "snow")
_READY = ".ready"


class NotInstalled(Exception):
    """The packages could not be had; the message is pip's."""


def python_of(program: str, folder: Path = HERE) -> Path:
    """The interpreter of a program's environment, which is made when it is not there.

    ``folder`` has the versions, in ``PROGRAM.txt``. Raises ``NotInstalled``.
    """
    versions = folder / f"{program}.txt"
    digest = hashlib.sha256(versions.read_bytes() + sys.version.encode()).hexdigest()[:12]
    environment = FOLDER / f"{program}-{digest}"
    python = environment / "bin" / "python"
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{program}.lock").open("w") as lock:
        # Several test processes may want it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (environment / _READY).exists():
            shutil.rmtree(environment, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
            _install(python, versions)
            subprocess.run(
                [str(python), "-m", "compileall", "-q", "-j", "0", str(environment / "lib")],
                capture_output=True,
                check=False,
            )
            (environment / _READY).touch()
    return python


def _install(python: Path, versions: Path) -> None:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "-r", str(versions)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(done.stderr[-2000:])


if __name__ == "__main__":
    for name in PROGRAMS:
        print(python_of(name))
