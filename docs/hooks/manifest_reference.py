"""The manifest's reference, written from its pydantic models: every key with type, default and what it means."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

import spoke_kit.manifest
from spoke_kit.manifest import VERSION, Manifest
from spoke_kit.manifest.parts import Part

INTRODUCTION = f"""# The manifest

`spoke.yaml` says all that differs between spokes; `overlays/<environment>.yaml` is laid over it. This is
version {VERSION}, written from the code that reads it. Keys that are not here are refused.

The same as a JSON Schema, by which an editor completes and checks the file: [spoke.schema.json](spoke.schema.json), or
`/api/v1/schemas/spoke.json` of the running service.
"""


def reference() -> str:
    """The whole page as Markdown."""
    return "\n".join([INTRODUCTION, *(section(part) for part in parts())])


def parts() -> list[type[Part]]:
    """The manifest and every part below it, in the order in which they are met; then those of other files."""
    found: dict[type[Part], None] = {}
    for root in (Manifest, *leaves(Part)):
        waiting = [root]
        while waiting:
            part = waiting.pop(0)
            if part not in found:
                found[part] = None
                waiting += (one for field in part.model_fields.values() for one in inside(field.annotation))
    return list(found)


def leaves(part: type[Part]) -> Iterator[type[Part]]:
    """The classes below this one that are parts themselves, not what parts have in common."""
    for below in part.__subclasses__():
        if below.__module__.startswith(spoke_kit.manifest.__name__):
            yield from leaves(below) if below.__subclasses__() else (below,)


def inside(kind: Any) -> Iterator[type[Part]]:
    """The parts that a type holds."""
    if inspect.isclass(kind) and not get_args(kind) and issubclass(kind, Part):
        yield kind
    for one in get_args(kind):
        yield from inside(one)


def section(part: type[Part]) -> str:
    """One part: what its docstring says, and its keys."""
    rows = [row(name, field) for name, field in part.model_fields.items()]
    table = "\n".join(["| key | type | default | |", "|---|---|---|---|", *rows])
    return f"## {part.__name__}\n\n{inspect.cleandoc(part.__doc__ or '').replace('``', '`')}\n\n{table}\n"


def row(name: str, field: FieldInfo) -> str:
    """One key."""
    default = "required" if field.is_required() else f"`{plain(field.default)}`"
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{field.alias or name}` | {said(field.annotation)} | {default} | {meaning} |"


def said(kind: Any) -> str:
    """A type in words, its parts linked."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(said(one) for one in inner if one is not NoneType)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin is not None and issubclass(origin, Mapping):
        return f"mapping of {said(inner[1])} by name"
    if origin is tuple:
        return f"list of {said(inner[0])}"
    if origin is not None:
        return said(inner[0])
    if inspect.isclass(kind) and issubclass(kind, Part):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    if inspect.isclass(kind) and issubclass(kind, StrEnum):
        return " or ".join(f"`{one.value}`" for one in kind)
    return WORDS.get(kind, "anything")


WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def plain(value: Any) -> str:
    """A default as YAML would have it."""
    if value is None:
        return "none"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, bool):
        return str(value).lower()
    if value == ():
        return "[]"
    if value == {} or isinstance(value, Part):
        return "{}"
    return str(value) or '""'
