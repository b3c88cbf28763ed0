"""Finding the handler: the code directory, IMPORTS, and the import path that a warehouse would give."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any

from embedded_account.compute import shim

# Snowflake's name for inline code, which tracebacks show.
INLINE_MODULE = "_udf_code"


class RefusedError(Exception):
    """The job cannot run as it was declared; the message says why."""


def set_import_directory(directory: Path) -> None:
    # Handlers concatenate file names to it: the slash at the end is part of the contract.
    sys._xoptions["snowflake_import_directory"] = f"{directory}/"


def prepare_paths(home: Path) -> None:
    """Put inline code, imported files and imported archives before the installed packages."""
    imports = home / "imports"
    set_import_directory(imports)
    archives = sorted(str(path) for path in imports.iterdir() if path.suffix in {".zip", ".whl", ".egg"})
    own = [str(home / "code"), str(imports), *archives]
    sys.path[:0] = own
    importlib.invalidate_caches()
    brought = {module.name for module in pkgutil.iter_modules(own)}
    for name in list(sys.modules):
        # A preloaded library of the same name would otherwise hide what the job brings.
        if name.partition(".")[0] in brought:
            del sys.modules[name]


def load(home: Path, handler: str, inline: bool) -> Any:
    """Import what ``handler`` names (``function`` of inline code, else ``module.function``)."""
    prepare_paths(home)
    if inline:
        module_name, name = INLINE_MODULE, handler
    else:
        module_name, _, name = handler.rpartition(".")
        if not module_name:
            raise RefusedError(f"Handler '{handler}' names no module, and the object has no inline code.")
    return load_from(module_name, name)


def load_from(module_name: str, name: str) -> Any:
    shim.install()
    module = importlib.import_module(module_name)
    shim.run_init_once()
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise RefusedError(f"Could not find the handler '{name}' in the module '{module_name}'.")
        found = getattr(found, part)
    return found
