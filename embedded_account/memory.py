"""Keeps the account's processes small: without libraries that others would load for them, and without freed memory.

Snowflake's connector, of which the translation uses a few modules, imports pandas and boto3 where they are installed:
30 MB and half of the start. What computes in Python runs in workers, which have all of them.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

CLOUD = ("boto3", "botocore", "s3transfer")
UNUSED = ("pandas", *CLOUD)


class Absent(MetaPathFinder):
    """Answers for packages that this process does without."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None, as a finder that does not know the module; ModuleNotFoundError for one that is left out."""
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is left out of this process", name=name)
        return None


def begin() -> None:
    """What is to be settled before anything else is imported."""
    # Arrow's other allocators keep what was freed where `release` does not reach it.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    sys.meta_path.insert(0, Absent(UNUSED))


@contextmanager
def without(names: Sequence[str]) -> Iterator[None]:
    """Nobody finds these packages in the block; later everybody does."""
    finder = Absent(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def release() -> None:
    """Give what was freed back to the system. Nothing on C libraries other than glibc.

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
