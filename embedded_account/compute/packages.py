"""PACKAGES: which installed distributions a job declared, and what its code may therefore import.

The interpreter holds more than a job declares. Without a check, a missing package in a declaration would be
found only in a real account.
"""

from __future__ import annotations

import builtins
import functools
import importlib.metadata
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from embedded_account.compute.handler import RefusedError


@functools.cache
def _distributions() -> dict[str, importlib.metadata.Distribution]:
    """What is installed, without editable installs: those are checkouts, which workers cannot see."""
    found: dict[str, importlib.metadata.Distribution] = {}
    for dist in importlib.metadata.distributions():
        origin = json.loads(dist.read_text("direct_url.json") or "{}")
        if dist.name and not origin.get("dir_info", {}).get("editable"):
            found.setdefault(canonicalize_name(dist.name), dist)
    return found


@functools.cache
def _providers() -> dict[str, set[str]]:
    """Import name → distributions. The shared package `snowflake` is told apart one level deeper."""
    result: dict[str, set[str]] = {}
    distributions = _distributions()
    for module, names in importlib.metadata.packages_distributions().items():
        owners = {str(canonicalize_name(name)) for name in names} & distributions.keys()
        if module != "snowflake" and owners:
            result[module] = owners
    for name, dist in distributions.items():
        for file in (dist.files or ()) if name.startswith("snowflake-") else ():
            if len(file.parts) > 2 and file.parts[0] == "snowflake" and "-" not in file.parts[1]:
                result.setdefault(f"snowflake.{file.parts[1]}", set()).add(name)
    return result


@functools.cache
def installed() -> dict[str, str]:
    """Name → version of each package that jobs can declare.

    A module that only one distribution provides names it too: "xgboost" stands for xgboost-cpu.
    """
    distributions = _distributions()
    found = {name: str(dist.version) for name, dist in distributions.items()}
    for module, owners in _providers().items():
        if len(owners) == 1 and not module.startswith("_") and "." not in module:
            found.setdefault(str(canonicalize_name(module)), found[min(owners)])
    return found


def warm() -> None:
    """Read the metadata now, so that workers inherit it."""
    installed()


def parse(spec: str) -> Requirement:
    """Read one entry of PACKAGES; Snowflake's single ``=`` and ``python`` pins are allowed."""
    text = re.sub(r"(?<![=<>!~])=(?!=)", "==", spec.strip())
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise RefusedError(f"Package specification '{spec}' is invalid: {error}") from error


def require(specs: Iterable[str]) -> set[str]:
    """Check declared packages against what is installed; gives the canonical names. Raises RefusedError by
    name.
    """
    names: set[str] = set()
    for spec in specs:
        requirement = parse(spec)
        name = canonicalize_name(requirement.name)
        version = ".".join(map(str, sys.version_info[:3])) if name == "python" else installed().get(name)
        if version is None:
            raise RefusedError(
                f"Cannot create a Python handler: package '{requirement.name}' is not available here."
            )
        if not SpecifierSet(str(requirement.specifier)).contains(version, prereleases=True):
            raise RefusedError(f"Package '{spec}' is not available here; the installed version is {version}.")
        names.add(name)
    return names


def closure(names: set[str]) -> set[str]:
    """The distributions that come with ``names``, dependencies included."""
    providers = _providers()
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            waiting.extend(providers.get(name.replace("-", "_"), ()))
            continue
        for text in requires:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))
    return seen


def guard_imports(specs: Iterable[str], home: Path) -> None:
    """From now on user code may import the standard library, IMPORTS and the declared packages only.

    Libraries go on importing what they like. Raises RefusedError for what is not installed.
    """
    allowed = closure(require(specs))
    providers = _providers()
    original = builtins.__import__
    folders = [os.path.dirname(__file__), *sysconfig.get_paths().values()]
    libraries = tuple({end + os.sep for path in folders for end in (path, os.path.realpath(path))})

    def guarded(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if level == 0 and not str((globals or {}).get("__file__", "")).startswith(libraries):
            for key in _keys(name, fromlist or ()):
                owners = providers.get(key)
                if owners and not owners & allowed and not _imported_by_user(key, str(home)):
                    raise ModuleNotFoundError(
                        f"No module named '{key}' (installed, not declared: add {min(owners)} to PACKAGES)",
                        name=key,
                    )
        return original(name, globals, locals, fromlist, level)

    builtins.__import__ = guarded


def _keys(name: str, fromlist: Iterable[str]) -> list[str]:
    """The import names to look up: the top package, or each part of `snowflake`."""
    parts = name.split(".")
    if parts == ["snowflake"]:
        return [f"snowflake.{part}" for part in fromlist]
    return [".".join(parts[:2]) if parts[0] == "snowflake" else parts[0]]


def _imported_by_user(key: str, home: str) -> bool:
    """Whether the job's own code brings a module of this name, which then goes before the installed one."""
    own = [path for path in sys.path if path.startswith(home)]
    return PathFinder.find_spec(key.partition(".")[0], own) is not None
