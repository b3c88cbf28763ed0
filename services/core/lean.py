"""Keeps a process small: libraries out of it that others would load for it, and its freed memory together.

Snowflake's connector imports pandas, NumPy and boto3 where they are installed, 46 MB and half a second; the service
uses none of them. What needs them runs in processes of its own.
"""

import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# https://man7.org/linux/man-pages/man3/mallopt.3.html
_M_ARENA_MAX = -8
#: What the service does without, whatever its account is.
UNUSED = ("pandas", "numpy", "watchfiles")
#: What the connector needs of a cloud's stages; the embedded account has none.
CLOUD = ("boto3", "botocore")


def one_allocator() -> None:
    """Let Arrow take its memory where ``release`` reaches it. Before Arrow is loaded."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def release() -> None:
    """Give what was freed back to the system: tens of megabytes after large results. Nothing on other libraries.

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def one_arena() -> None:
    """Let all threads take memory from glibc's first arena: others never give back what is free at their end.

    Nothing on other libraries. For threads that start later.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if sys.platform == "linux" and mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


class Absent(MetaPathFinder):
    """Answers for packages that this process does without."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None, as a finder that does not know the module; ModuleNotFoundError for one that is left out."""
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is left out of this process", name=name)
        return None


@contextmanager
def left_out(*packages: str) -> Iterator[None]:
    """``leave_out`` while something is imported that would use them where they are."""
    finder = leave_out(*packages)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def leave_out(*packages: str) -> Absent:
    """From now on these are not there, for whoever looks. Returns the finder, which may be removed again."""
    finder = Absent(frozenset(packages))
    sys.meta_path.insert(0, finder)
    return finder
