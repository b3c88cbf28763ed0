"""Reads merged YAML with errors that name the file and the key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import yaml

from spoke_kit.errors import ConfigError

T = TypeVar("T")
Path = tuple[str, ...]

_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
}


def parse(text: str, file: str) -> dict[str, Any]:
    """The mapping in a YAML file; ConfigError when it is not one."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{file}: expected a mapping at the top, found {type(value).__name__}")
    return value


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid on ``base``: mappings merge key by key, all else is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return result


def origins(tree: Mapping[str, Any], file: str, at: Path = ()) -> dict[Path, str]:
    """Which file each key of ``tree`` came from."""
    found: dict[Path, str] = {}
    for key, value in tree.items():
        found[(*at, str(key))] = file
        if isinstance(value, dict):
            found |= origins(value, file, (*at, str(key)))
    return found


class Node:
    """A place in the merged tree that remembers its path and which keys were read."""

    def __init__(self, value: Mapping[str, Any], files: Mapping[Path, str], at: Path = ()) -> None:
        self._value = value
        self._files = files
        self._at = at
        self._read: set[str] = set()

    def error(self, key: str, problem: str, hint: str = "") -> ConfigError:
        path = (*self._at, key) if key else self._at
        file = self._files.get(path) or self._files.get(self._at) or "spoke.yaml"
        return ConfigError(f"{file}: {'.'.join(path) or 'top'}: {problem}", hint)

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value at ``key``; ConfigError when missing without a default, or of another type."""
        self._read.add(key)
        value = self._value.get(key)
        if value is None:
            if default is None:
                raise self.error(key, "missing")
            return default
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)  # type: ignore[return-value]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"expected {_WORDS[kind]}, found {value!r}")
        return value

    def optional(self, key: str) -> str | None:
        """Text, or None when the key is absent or null."""
        self._read.add(key)
        return None if self._value.get(key) is None else self.get(key, str)

    def texts(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        items = self.get(key, list, default)
        for item in items:
            if not isinstance(item, str):
                raise self.error(key, f"expected a list of text, found {item!r}")
        return tuple(items)

    def child(self, key: str) -> Node:
        return Node(self.get(key, dict, {}), self._files, (*self._at, key))

    def children(self, key: str) -> Iterator[tuple[str, Node]]:
        """Named mappings below ``key``; a null one is empty."""
        parent = self.child(key)
        for name in parent._value:
            yield str(name), parent.child(name)

    def plain(self, key: str) -> dict[str, Any]:
        return dict(self.get(key, dict, {}))

    def finish(self) -> None:
        """ConfigError when there are keys that nobody read."""
        unknown = sorted(str(key) for key in self._value if key not in self._read)
        if unknown:
            raise self.error(unknown[0], "unknown key", f"Known here: {', '.join(sorted(self._read))}.")
