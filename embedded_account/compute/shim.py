"""The `_snowflake` module that handlers find in Snowflake, as far as it has a meaning here.

https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

_init_once: list[Callable[[], Any]] = []


def vectorized(
    input: type, max_batch_size: int | None = None, flatten_object_input: bool = False
) -> Callable[..., Any]:
    """Mark a handler as taking pandas frames of at most ``max_batch_size`` rows."""

    def mark(function: Any) -> Any:
        function._sf_vectorized_input = input
        function._sf_max_batch_size = max_batch_size
        function._sf_flatten_object_input = flatten_object_input
        return function

    return mark


def udf_init_once(function: Callable[[], Any]) -> Callable[[], Any]:
    """Have ``function`` run once, after the module is loaded and before the first row."""
    _init_once.append(function)
    return function


def run_init_once() -> None:
    while _init_once:
        _init_once.pop(0)()


def _missing(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"_snowflake.{name} is not supported by the embedded account")


def install() -> None:
    """Put the module where ``import _snowflake`` finds it."""
    module = types.ModuleType("_snowflake", "Handler-side functions of the embedded account.")
    vars(module).update(vectorized=vectorized, udf_init_once=udf_init_once, __getattr__=_missing)
    sys.modules["_snowflake"] = module
