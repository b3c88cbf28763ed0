"""Reads ``spoke.yaml`` and an environment's overlay; what is wrong is told at once, with file, line and key.

An overlay is laid over ``spoke.yaml`` key by key; what is no mapping replaces, and null removes, so that the
default holds again.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from spoke_kit.errors import Fault, ManifestError
from spoke_kit.manifest.manifest import Manifest
from spoke_kit.manifest.parts import WholeFile
from spoke_kit.manifest.shared import SharedManifest

FILE = "spoke.yaml"
SHARED_FILE = "shared.yaml"
Keys = tuple[str | int, ...]
M = TypeVar("M", bound=WholeFile)
# https://docs.pydantic.dev/latest/errors/validation_errors/
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "enum": "{expected}",
    "literal_error": "{expected}",
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
    "string_pattern_mismatch": "of the form {pattern}",
    "string_too_short": "at least {min_length} character long",
    "string_too_long": "at most {max_length} characters long",
    "too_short": "a list or mapping of at least {min_length}",
    "too_long": "a list or mapping of at most {max_length}",
}


@dataclass
class Tree:
    """A file's content, and the file and line of each key in it."""

    value: dict[str, Any]
    places: dict[Keys, tuple[str, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    file: str = FILE

    def fault(self, keys: Keys, problem: str) -> Fault:
        """At the nearest place that is written down: a missing key is told of where it is missing."""
        at: Keys = keys
        while at and at not in self.places:
            at = at[:-1]
        file, line = self.places.get(at, (self.file, 1))
        return Fault(file, line, ".".join(map(str, keys)), problem)


def load(directory: Path, environment: str) -> Manifest:
    """A spoke's manifest in an environment.

    Raises:
        ManifestError: with all faults of both files.
    """
    return _load(directory, environment)


def load_shared(directory: Path) -> SharedManifest:
    """The manifest of the hub's own feature views; as ``load``."""
    path = directory / SHARED_FILE
    if not path.is_file():
        raise ManifestError([Fault(SHARED_FILE, 1, "", f"is not there, in {directory}")])
    return validated(parse(path.read_text("utf-8"), SHARED_FILE), SharedManifest)


def load_package(package: str, environment: str) -> Manifest:
    """The manifest that lies beside an imported spoke package, also inside a zip; as ``load``."""
    return _load(resources.files(package), environment)


def _load(directory: Traversable, environment: str) -> Manifest:
    if not directory.joinpath(FILE).is_file():
        raise ManifestError([Fault(FILE, 1, "", f"is not there, in {directory}")])
    tree = parse(directory.joinpath(FILE).read_text("utf-8"), FILE)
    name = f"overlays/{environment.lower()}.yaml"
    overlay = directory.joinpath("overlays").joinpath(f"{environment.lower()}.yaml")
    if overlay.is_file():
        tree = laid(tree, parse(overlay.read_text("utf-8"), name))
    return validated(tree, Manifest)


def validated(tree: Tree, kind: type[M]) -> M:
    """The manifest of a tree; ManifestError with all its faults."""
    faults = list(tree.faults)
    try:
        manifest = kind.model_validate(tree.value)
    except ValidationError as error:
        raise ManifestError([*faults, *(_fault(tree, one, kind) for one in error.errors())]) from None
    faults += [tree.fault(keys, problem) for keys, problem in manifest.disagreements()]
    if faults:
        raise ManifestError(faults)
    return manifest


def parse(text: str, file: str) -> Tree:
    """The content of one file; ManifestError for what is no YAML, or no mapping."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        tree = Tree({}, file=file)
        if node is not None:
            value = _construct(loader, node, file, (), tree)
            if not isinstance(value, dict):
                raise ManifestError([Fault(file, 1, "", f"expected a mapping, found {value!r}")])
            tree.value = value
        return tree
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + 1
        raise ManifestError([Fault(file, line, "", f"is no YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        raise ManifestError([Fault(file, 1, "", f"is no YAML: {error}")]) from None
    finally:
        loader.dispose()


def _construct(loader: yaml.SafeLoader, node: yaml.Node, file: str, at: Keys, tree: Tree) -> Any:
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            tree.places[(*at, place)] = (file, item.start_mark.line + 1)
        return [_construct(loader, item, file, (*at, place), tree) for place, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node, deep=True)
    seen: set[str] = set()
    for key, _ in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            tree.faults.append(Fault(file, line, ".".join(map(str, (*at, name))), "is there twice"))
        seen.add(name)
    loader.flatten_mapping(node)
    found: dict[str, Any] = {}
    for key, below in node.value:
        # Words such as no and 2025 are values of their own to YAML; as a key they are meant as they are written.
        name = str(key.value)
        tree.places[(*at, name)] = (file, key.start_mark.line + 1)
        found[name] = _construct(loader, below, file, (*at, name), tree)
    return found


def laid(base: Tree, over: Tree) -> Tree:
    """``over`` laid on ``base``."""
    places = {**base.places, **over.places}
    return Tree(merged(base.value, over.value), places, [*base.faults, *over.faults], base.file)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key, null removes, all else is replaced."""
    found = dict(base)
    for key, value in over.items():
        below = found.get(key)
        if value is None:
            found.pop(key, None)
        elif isinstance(below, dict) and isinstance(value, dict):
            found[key] = merged(below, value)
        else:
            found[key] = merged({}, value) if isinstance(value, dict) else value
    return found


def _fault(tree: Tree, error: ErrorDetails, kind: type[WholeFile]) -> Fault:
    keys: Keys = tuple(one for one in error["loc"] if one != "[key]")
    if error["type"] == "extra_forbidden":
        return tree.fault(keys, f"is unknown{_meant(keys, kind)}")
    if error["type"] == "missing":
        return tree.fault(keys, "is missing")
    shown = error["input"]
    told = isinstance(shown, str | int | float | bool) or shown is None
    return tree.fault(keys, f"{_problem(error)}, found {shown!r}" if told else _problem(error))


def _problem(error: ErrorDetails) -> str:
    """What was expected, in words; of what this project checks itself, its own."""
    values = error.get("ctx", {})
    if error["type"] in _EXPECTED:
        return f"should be {_EXPECTED[error['type']].format(**values)}"
    problem = error["msg"].removeprefix("Value error, ")
    return problem[:1].lower() + problem[1:]


def _meant(keys: Keys, kind: type[WholeFile]) -> str:
    """The known key that an unknown one resembles."""
    part: Any = kind.model_json_schema()
    definitions = part["$defs"]
    for key in keys[:-1]:
        part = _below(part, key, definitions)
    close = difflib.get_close_matches(str(keys[-1]), part.get("properties", {}), 1)
    return (
        f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(part.get('properties', {}))}"
    )


def _below(part: dict[str, Any], key: str | int, definitions: Mapping[str, Any]) -> dict[str, Any]:
    found = part.get("properties", {}).get(key) or part.get("additionalProperties") or part.get("items") or {}
    if not isinstance(found, dict):
        return {}
    for choice in [found, *found.get("anyOf", [])]:
        if "$ref" in choice:
            found = definitions[choice["$ref"].rpartition("/")[2]]
    return found
