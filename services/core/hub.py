"""The hub as declared in ``hub.yaml``: its names and sizes, read once and passed to who needs them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from services.core.collisions import check_hub
from services.core.errors import Invalid
from spoke_kit.errors import ConfigError
from spoke_kit.layout import Layout

FILE = Path(__file__).resolve().parents[2] / "hub.yaml"
#: Where something has a spoke: the name for what is the hub's own.
HUB = "hub"
_NAME = re.compile(r"[A-Z][A-Z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class DeclaredEnvironment:
    """One environment; the declaration keeps them in promotion order."""

    name: str
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The warehouse that the hub and its spokes share."""

    name: str
    size: str
    auto_suspend_seconds: int


@dataclass(frozen=True, slots=True)
class ComputePool:
    """The compute pool for container jobs; a hub without such jobs declares none."""

    name: str
    instance_family: str
    min_nodes: int
    max_nodes: int
    auto_suspend_seconds: int


@dataclass(frozen=True, slots=True)
class Declaration:
    """The whole hub. ``cost_tags`` maps each tag to its comment."""

    layout: Layout
    environments: tuple[DeclaredEnvironment, ...]
    warehouse: Warehouse
    compute_pool: ComputePool | None
    role: str
    parent_role: str
    cost_tags: Mapping[str, str]
    connects_as: str = ""

    def apart(self, name: str) -> Declaration:
        """The same hub in databases and with roles whose names begin with this one; the warehouse is shared."""
        layout = self.layout.apart(name)
        return replace(self, layout=layout, role=f"{name}_ADMIN", connects_as=self.service_role)

    @property
    def databases(self) -> tuple[str, ...]:
        """The shared database, then those of the environments; often one and the same."""
        names = [self.layout.shared_database]
        names += [self.layout.database_in(known.name) for known in self.environments]
        return tuple(dict.fromkeys(names))

    @property
    def service_role(self) -> str:
        """The role that Spokehub connects with: the hub's, of which an administrator made it a member."""
        return self.connects_as or self.role

    def environment(self, name: str) -> DeclaredEnvironment:
        """The environment of this name, in any case; Invalid 422 when none is declared."""
        for known in self.environments:
            if known.name == name.upper():
                return known
        names = ", ".join(known.name for known in self.environments)
        raise Invalid(
            f"There is no environment {name!r}", hint=f"Use one of {names}.", code="unknown_environment"
        )


def load_declaration(path: Path = FILE) -> Declaration:
    """Read ``hub.yaml``; Invalid, naming the key, for what cannot be used."""
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise Invalid(f"{path.name} cannot be read: {error}") from None
    top = _Section(path.name, tree)
    declared = Declaration(
        layout=_layout(top),
        environments=tuple(
            DeclaredEnvironment(item.name("name"), bool(item.take("protected", False)))
            for item in top.sections("environments")
        ),
        warehouse=_warehouse(top.section("warehouse")),
        compute_pool=_pool(top.section("compute_pool")) if top.has("compute_pool") else None,
        role=top.name("role"),
        parent_role=top.name("parent_role"),
        cost_tags={_checked(path.name, tag): str(text) for tag, text in top.take("cost_tags", {}).items()},
    )
    top.finish()
    if not declared.environments:
        raise Invalid(f"{path.name}: environments names none", hint="Declare at least one.")
    try:
        check_hub(declared)
    except Invalid as error:
        raise Invalid(f"{path.name}: {error.message}", hint=error.hint) from None
    return declared


def _layout(top: _Section) -> Layout:
    values = top.take("layout", {})
    if not isinstance(values, dict):
        raise Invalid(f"{top.where}: layout is not a mapping")
    try:
        return Layout.read(values)
    except ConfigError as error:
        raise Invalid(f"{top.where}: {error.message}", hint=error.hint or None) from None


def _warehouse(section: _Section) -> Warehouse:
    found = Warehouse(section.name("name"), section.name("size"), section.number("auto_suspend_seconds", 30))
    section.finish()
    return found


def _pool(section: _Section) -> ComputePool:
    found = ComputePool(
        section.name("name"),
        section.name("instance_family"),
        section.number("min_nodes", 1),
        section.number("max_nodes", 1),
        section.number("auto_suspend_seconds", 300),
    )
    section.finish()
    return found


class _Section:
    """A mapping of the file whose keys are taken one by one; what is left over at the end is a mistake."""

    def __init__(self, where: str, tree: Any) -> None:
        if not isinstance(tree, dict):
            raise Invalid(f"{where} is not a mapping")
        self.where = where
        self.left = dict(tree)

    def take(self, key: str, default: Any = None) -> Any:
        if key not in self.left and default is None:
            raise Invalid(f"{self.where} has no {key}")
        return self.left.pop(key, default)

    def has(self, key: str) -> bool:
        return key in self.left

    def name(self, key: str) -> str:
        return _checked(f"{self.where}: {key}", self.take(key))

    def number(self, key: str, default: int) -> int:
        value = self.take(key, default)
        if not isinstance(value, int) or value < 0:
            raise Invalid(f"{self.where}: {key} is {value!r}", hint="Use a whole number.")
        return value

    def section(self, key: str) -> _Section:
        return _Section(f"{self.where}: {key}", self.take(key))

    def sections(self, key: str) -> list[_Section]:
        return [_Section(f"{self.where}: {key}", item) for item in self.take(key)]

    def finish(self) -> None:
        if self.left:
            raise Invalid(f"{self.where}: unknown keys {', '.join(sorted(map(str, self.left)))}")


def _checked(where: str, name: Any) -> str:
    if not isinstance(name, str) or not _NAME.match(name):
        raise Invalid(f"{where}: {name!r} is not a name", hint="Use capital letters, digits and underscores.")
    return name
