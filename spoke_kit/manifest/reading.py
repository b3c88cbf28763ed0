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

from spoke_kit.errors import ConfigError, Fault, ManifestError
from spoke_kit.manifest.agreement import Keys, disagreements
from spoke_kit.manifest.manifest import Manifest
from spoke_kit.manifest.parts import WholeFile
from spoke_kit.manifest.shared import SharedManifest
from spoke_kit.names import ENVIRONMENTS

FILE = "spoke.yaml"
SHARED_FILE = "shared.yaml"
M = TypeVar("M", bound=WholeFile)
_TAG = "tag:yaml.org,2002:"
_PLAIN = ("str", "int", "float", "bool", "null")
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
    if environment.upper() not in ENVIRONMENTS:
        raise ConfigError(f"unknown environment {environment!r}", f"Use one of {', '.join(ENVIRONMENTS)}.")
    tree = _read(directory.joinpath(FILE), FILE)
    overlay = directory.joinpath("overlays").joinpath(f"{environment.lower()}.yaml")
    if overlay.is_file():
        tree = laid(tree, _read(overlay, f"overlays/{environment.lower()}.yaml"))
    return validated(tree, Manifest)


def _read(path: Traversable, name: str) -> Tree:
    try:
        return parse(path.read_text("utf-8"), name)
    except OSError:
        raise ManifestError([Fault(name, 1, "", f"is not there: {path}")]) from None
    except UnicodeDecodeError:
        raise ManifestError([Fault(name, 1, "", "is no text in UTF-8")]) from None


def validated(tree: Tree, kind: type[M]) -> M:
    """The manifest of a tree; ManifestError with all its faults."""
    faults = [*tree.faults, *(tree.fault(*one) for one in disagreements(tree.value))]
    try:
        manifest = kind.model_validate(tree.value)
    except ValidationError as error:
        raise ManifestError([*faults, *(_fault(tree, one, kind) for one in error.errors())]) from None
    if faults:
        raise ManifestError(faults)
    return manifest


def parse(text: str, file: str) -> Tree:
    """The content of one file; ManifestError for what is no YAML, or no mapping."""
    loader = yaml.SafeLoader(text)
    tree = Tree({}, file=file)
    try:
        node = loader.get_single_node()
        if node is not None:
            value = _Content(loader, file, tree).of(node, ())
            if not isinstance(value, dict):
                raise ManifestError([Fault(file, 1, "", f"should be a mapping, found {value!r}")])
            tree.value = value
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + 1
        raise ManifestError([Fault(file, line, "", f"is no YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        raise ManifestError([Fault(file, 1, "", f"is no YAML: {error}")]) from None
    except RecursionError:
        raise ManifestError([Fault(file, 1, "", "is nested too deep, or holds itself")]) from None
    finally:
        loader.dispose()
    return tree


@dataclass
class _Content:
    """Turns nodes into plain values, and writes down where each is and what is wrong with it."""

    loader: yaml.SafeLoader
    file: str
    tree: Tree

    def of(self, node: yaml.Node, at: Keys) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self._placed(item, item, (*at, place)) for place, item in enumerate(node.value)]
        if node.tag == f"{_TAG}timestamp":
            return node.value
        if node.tag.removeprefix(_TAG) not in _PLAIN:
            self._wrong(node, at, f"is of the unknown type {node.tag.removeprefix(_TAG)}")
            return None
        try:
            return self.loader.construct_object(node, deep=True)
        except ValueError as error:
            self._wrong(node, at, f"cannot be read: {error}")
            return None

    def _mapping(self, node: yaml.MappingNode, at: Keys) -> dict[str, Any]:
        seen: set[str] = set()
        for key, _ in list(node.value):
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, at, "has a key that is no text")
                node.value = [pair for pair in node.value if pair[0] is not key]
            elif key.value in seen:
                self._wrong(key, (*at, key.value), "is there twice")
            else:
                seen.add(key.value)
        self.loader.flatten_mapping(node)
        # Words such as no and 2025 are values of their own to YAML; as a key they are meant as they are written.
        return {str(key.value): self._placed(key, below, (*at, str(key.value))) for key, below in node.value}

    def _placed(self, where: yaml.Node, node: yaml.Node, at: Keys) -> Any:
        self.tree.places[at] = (self.file, where.start_mark.line + 1)
        return self.of(node, at)

    def _wrong(self, node: yaml.Node, at: Keys, problem: str) -> None:
        key = ".".join(map(str, at))
        self.tree.faults.append(Fault(self.file, node.start_mark.line + 1, key, problem))


def laid(base: Tree, over: Tree) -> Tree:
    """``over`` laid on ``base``."""
    places = {**base.places, **over.places}
    return Tree(merged(base.value, over.value), places, [*base.faults, *over.faults], base.file)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key, null removes, all else is replaced."""
    found = dict(base)
    for key, value in over.items():
        below = found.get(key)
        if value is None and key in found:
            del found[key]
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
        return tree.fault(keys, f"is missing{_described(keys, kind)}")
    shown = error["input"]
    told = isinstance(shown, str | int | float | bool) or shown is None
    return tree.fault(keys, f"{_problem(error)}, found {shown!r}" if told else _problem(error))


def _problem(error: ErrorDetails) -> str:
    """What was expected, in words; of what this project checks itself, its own."""
    values = error.get("ctx", {})
    if error["type"] in _EXPECTED:
        return f"should be {_EXPECTED[error['type']].format(**values)}"
    if error["type"] == "value_error":
        return str(values["error"])
    return error["msg"][:1].lower() + error["msg"][1:]


def _meant(keys: Keys, kind: type[WholeFile]) -> str:
    """The known key that an unknown one resembles."""
    known = _part(keys[:-1], kind).get("properties", {})
    close = difflib.get_close_matches(str(keys[-1]), known, 1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}"


def _described(keys: Keys, kind: type[WholeFile]) -> str:
    """What a missing key is for."""
    described = _part(keys[:-1], kind).get("properties", {}).get(keys[-1], {}).get("description", "")
    return f": {described}" if described else ""


def _part(keys: Keys, kind: type[WholeFile]) -> dict[str, Any]:
    """The part of the JSON Schema that describes the mapping at ``keys``."""
    found: dict[str, Any] = kind.model_json_schema()
    definitions = found["$defs"]
    for key in keys:
        below = (
            found.get("properties", {}).get(key) or found.get("additionalProperties") or found.get("items")
        )
        found = below if isinstance(below, dict) else {}
        for choice in [found, *found.get("anyOf", [])]:
            if "$ref" in choice:
                found = definitions[choice["$ref"].rpartition("/")[2]]
    return found
