"""What a fresh worker gives up before it may touch user code."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from embedded_account.compute import landlock
from embedded_account.compute.jobs import Limits

_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

_SYSTEM_READABLE = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/opt",
    "/etc",
    "/proc",
    "/sys",
    "/dev/urandom",
    "/dev/random",
)
_SYSTEM_WRITABLE = ("/dev/null", "/dev/zero", "/dev/full", "/dev/shm")  # noqa: S108


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when ``parent``, its single-threaded parent, ends."""
    _libc.prctl(_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def drop_privileges() -> None:
    """Give up every capability, for good: where the account runs as root, its workers must not."""
    no_new_privs, version_3 = 38, 0x20080522
    header = (ctypes.c_uint32 * 2)(version_3, 0)
    none = (ctypes.c_uint32 * 6)()
    if _libc.prctl(no_new_privs, 1, 0, 0, 0) or _libc.capset(header, none):
        raise OSError(ctypes.get_errno(), "privileges could not be dropped")


def close_descriptors(keep: int) -> None:
    """Close every inherited descriptor but ``keep``; standard input and outputs become the null device."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    last = max(int(name) for name in os.listdir("/proc/self/fd")) + 1
    os.closerange(3, keep)
    os.closerange(keep + 1, last)


def clean_environment(home: Path) -> None:
    """Replace the environment: nothing of the account's remains, home and temporary files are private."""
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    path = os.environ.get("PATH", os.defpath)
    os.environ.clear()
    os.environ.update(
        PATH=path,
        HOME=str(home),
        TMPDIR=str(temporary),
        LANG="C.UTF-8",
        OMP_NUM_THREADS=str(os.cpu_count() or 1),
        # The connector would look for a cloud's metadata services at each login.
        SNOWFLAKE_DISABLE_PLATFORM_DETECTION="true",
    )
    tempfile.tempdir = None
    os.chdir(home)


def standard_paths() -> list[str]:
    """The interpreter's own import path: its library and its installed packages, without any checkout of
    ours.
    """
    folders = {os.path.realpath(path) for path in sysconfig.get_paths().values()}
    return [
        entry
        for entry in sys.path
        if entry and (os.path.realpath(entry) in folders or _within_library(entry))
    ]


def _within_library(entry: str) -> bool:
    # python311.zip and lib-dynload stand beside the library, not in sysconfig's paths.
    library = Path(sysconfig.get_paths()["stdlib"])
    return Path(entry).parent in (library, library.parent) and "site-packages" not in entry


def hide_ourselves() -> None:
    """Take the embedded account and editable installs out of sight of user code: it sees what a warehouse
    would.
    """
    sys.path[:] = standard_paths()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not _editable(finder)]
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if not _editable(hook)]
    sys.path_importer_cache.clear()
    for name in list(sys.modules):
        if name.partition(".")[0] == "embedded_account" or name.startswith("__editable__"):
            del sys.modules[name]


def _editable(hook: object) -> bool:
    return str(getattr(hook, "__module__", "")).startswith("__editable__")


def restrict_files(home: Path, readable: Sequence[str]) -> bool:
    """Bound file access to the interpreter, the system and ``home``. False where the kernel cannot."""
    interpreter = {
        os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix, *standard_paths())
    }
    interpreter.discard("/")
    return landlock.restrict(
        [*_SYSTEM_READABLE, *sorted(interpreter), *readable], [*_SYSTEM_WRITABLE, str(home)]
    )


def apply_limits(limits: Limits) -> None:
    """Set the limits that hold for the worker's whole life."""
    _lower(resource.RLIMIT_CORE, 0)
    if limits.memory_bytes is not None:
        with open("/proc/self/statm", encoding="ascii") as statm:
            base = int(statm.read().split()[0]) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, base + limits.memory_bytes)
    if limits.file_bytes is not None:
        _lower(resource.RLIMIT_FSIZE, limits.file_bytes)


def allow_cpu(seconds: int | None) -> None:
    """Grant this request ``seconds`` of processor time from now on; SIGXCPU ends the worker beyond it."""
    if seconds is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # The limit is in whole seconds and counts what was used before.
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))
