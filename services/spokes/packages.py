"""Whether the packages that a spoke names resolve together, asked of the package index before an account is.

https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-packages: Snowflake's shared repository offers what
the Python Package Index does, as wheels for Linux; pip resolves for such a machine without installing anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from services.core.errors import Conflict, Unavailable

_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Resolved:
    """One package of the environment. ``requested`` is what the spoke named; None came with another."""

    name: str
    version: str
    requested: str | None


def resolve(packages: Sequence[str], runtime: str) -> tuple[Resolved, ...]:
    """Every package that a procedure's environment would hold, by name.

    ``runtime`` is the Python version, as in RUNTIME_VERSION.

    Raises:
        Conflict: 409 ``packages_conflict``; they do not resolve together. The message is pip's.
        Unavailable: 503; the index does not answer.
    """
    with TemporaryDirectory(prefix="spokehub-packages-") as target:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--quiet",
            "--disable-pip-version-check",
        ]
        command += ["--ignore-installed", "--only-binary", ":all:", "--target", target, "--report", "-"]
        command += ["--python-version", runtime, "--implementation", "cp"]
        for platform in _PLATFORMS:
            command += ["--platform", platform]
        done = subprocess.run(  # noqa: S603 - the program is this interpreter
            [*command, "--", *packages], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    if done.returncode:
        raise _failure(done.stderr)
    report = json.loads(done.stdout)
    found = [
        Resolved(
            entry["metadata"]["name"],
            entry["metadata"]["version"],
            _named(entry["metadata"]["name"], packages) if entry["requested"] else None,
        )
        for entry in report["install"]
    ]
    return tuple(sorted(found, key=lambda package: package.name.lower()))


def _named(name: str, packages: Sequence[str]) -> str | None:
    plain = name.lower().replace("_", "-")
    return next((text for text in packages if text.lower().replace("_", "-").startswith(plain)), None)


def _failure(output: str) -> Conflict | Unavailable:
    lines = [line.removeprefix("ERROR: ").strip() for line in output.splitlines() if line.strip()]
    told = " ".join(line for line in lines if not line.startswith("WARNING"))
    if "Connection" in told or "timed out" in told:
        return Unavailable(
            f"The package index does not answer: {told[:500]}", hint="Try again with a connection."
        )
    return Conflict(
        f"The packages do not resolve together: {told[:1000]}",
        hint="Change the versions in spoke.yaml, compute.packages.",
        code="packages_conflict",
    )
