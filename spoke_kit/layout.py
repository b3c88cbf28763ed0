"""How databases, schemas, objects and roles are called: the templates under ``layout`` in ``hub.yaml``.

``{SPOKE}`` is the spoke's name in upper case and ``{spoke}`` as it is, ``{ENV}`` the environment's and ``{env}`` the
same in lower case, ``{NAME}`` the name that a manifest gives. All else stands letter for letter.
``docs/layout.md`` has the table of keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from spoke_kit.errors import ConfigError

#: The spoke whose feature views are the hub's own and named by ``shared_object``.
SHARED_SPOKE = "shared"

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LONGEST = 255
_SPOKE, _ENV, _NAME = "{SPOKE}", "{ENV}", "{NAME}"
_RESERVED = {"shared_schema": "INFORMATION_SCHEMA", "database": "SNOWFLAKE", "shared_database": "SNOWFLAKE"}
#: What each template may hold.
PLACEHOLDERS = {
    "database": {_ENV},
    "shared_database": set[str](),
    "shared_schema": set[str](),
    "feature_store": {_ENV},
    "model_registry": {_ENV},
    "spoke_schema": {_SPOKE, _ENV},
    "object": {_SPOKE, _NAME},
    "shared_object": {_NAME},
    "owner_role": {_SPOKE, _ENV},
    "reader_role": {_SPOKE, _ENV},
    "producer_role": {_ENV},
}
# What it must hold, with what would happen otherwise. Roles belong to the account, whatever the databases are.
_SPOKES = "two spokes would have the same one"
_ENVIRONMENTS = "two environments would have the same one"
_MUST = {
    "spoke_schema": {_SPOKE: _SPOKES},
    "object": {_SPOKE: _SPOKES, _NAME: "all objects would have the same name"},
    "shared_object": {_NAME: "all objects would have the same name"},
    "owner_role": {_SPOKE: _SPOKES, _ENV: _ENVIRONMENTS},
    "reader_role": {_SPOKE: _SPOKES, _ENV: _ENVIRONMENTS},
    "producer_role": {_ENV: _ENVIRONMENTS},
}
_OF_ENVIRONMENT = ("feature_store", "model_registry", "spoke_schema")


@dataclass(frozen=True)
class Layout:
    """Templates of names. ConfigError, naming the key, for one that cannot be used.

    Without a ``shared_database`` the shared schema is in ``database``.
    """

    database: str = "SPOKEHUB"
    shared_database: str = ""
    shared_schema: str = "SHARED_DATA"
    feature_store: str = "FEATURE_STORE_{ENV}"
    model_registry: str = "MODEL_REGISTRY_{ENV}"
    spoke_schema: str = "{SPOKE}_{ENV}"
    object: str = "{SPOKE}__{NAME}"
    shared_object: str = "SHARED__{NAME}"
    owner_role: str = "{SPOKE}_{ENV}_OWNER"
    reader_role: str = "{SPOKE}_{ENV}_READER"
    producer_role: str = "FEATURE_STORE_{ENV}_PRODUCER"

    def __post_init__(self) -> None:
        if not self.shared_database:
            if self.by_environment:
                raise _wrong(
                    "shared_database",
                    f"is missing, and database is {self.database!r}",
                    "Name the database of what all environments read.",
                )
            object.__setattr__(self, "shared_database", self.database)
        for one in fields(self):
            _check(one.name, getattr(self, one.name))
        if not self.by_environment:
            for key in _OF_ENVIRONMENT:
                _require(key, getattr(self, key), _ENV, f"{_ENVIRONMENTS}, as database has no {_ENV} either")
        for key in ("object", "shared_object"):
            _check_prefix(key, getattr(self, key))
        if self.owner_role == self.reader_role:
            raise _wrong("reader_role", f"{self.reader_role!r} is owner_role as well", "Name two roles.")

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Layout:
        """The layout of a mapping of keys to templates; what is missing is as it is by default."""
        unknown = sorted(set(map(str, values)) - set(PLACEHOLDERS))
        if unknown:
            raise ConfigError(
                f"layout: unknown keys {', '.join(unknown)}", f"The keys are {', '.join(PLACEHOLDERS)}."
            )
        for key, value in values.items():
            if not isinstance(value, str) or not value:
                raise _wrong(
                    key, f"{value!r} is not a name", "Write a text, in quotes where it begins with {."
                )
        return cls(**values)

    @classmethod
    def parse(cls, text: str) -> Layout:
        """The layout that ``text`` gave. A graph's configuration holds scalars only, so there it is a text."""
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise ConfigError(f"layout: {text!r} is not a mapping as JSON", "Deploy the graph again.")
        return cls.read(values)

    @property
    def text(self) -> str:
        """All templates as JSON, for ``parse``."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def apart(self, name: str) -> Layout:
        """The same schemas in databases and with roles whose names begin with ``name``."""
        database = name
        if self.by_environment:
            database = f"{name}_{_ENV}"
        elif self.database != self.shared_database:
            database = f"{name}_SPOKES"
        roles = {
            key: f"{name}_{getattr(self, key)}" for key in ("owner_role", "reader_role", "producer_role")
        }
        return replace(self, database=database, shared_database=name, **roles)

    @property
    def by_environment(self) -> bool:
        """Whether each environment has a database of its own."""
        return _ENV in _held(self.database)

    def database_in(self, environment: str) -> str:
        return _fill(self.database, environment=environment)

    def feature_store_in(self, environment: str) -> str:
        return _fill(self.feature_store, environment=environment)

    def model_registry_in(self, environment: str) -> str:
        return _fill(self.model_registry, environment=environment)

    def producer_in(self, environment: str) -> str:
        """The role that owns what the spokes share in a feature store."""
        return _fill(self.producer_role, environment=environment)

    def schema_of(self, spoke: str, environment: str) -> str:
        return _fill(self.spoke_schema, spoke, environment)

    def owner_of(self, spoke: str, environment: str) -> str:
        return _fill(self.owner_role, spoke, environment)

    def reader_of(self, spoke: str, environment: str) -> str:
        return _fill(self.reader_role, spoke, environment)

    def prefix_of(self, spoke: str) -> str:
        """What the names of a spoke's feature views, datasets and models begin with."""
        template = self.shared_object if spoke == SHARED_SPOKE else self.object
        return _fill(template.removesuffix(_NAME), spoke)

    def object_of(self, spoke: str, name: str) -> str:
        """The name of a feature view, dataset or model."""
        return self.prefix_of(spoke) + name


def _fill(template: str, spoke: str = "", environment: str = "") -> str:
    values = {
        "SPOKE": spoke.upper(),
        "spoke": spoke,
        "ENV": environment.upper(),
        "env": environment.lower(),
    }
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], template)


def _held(template: str) -> set[str]:
    """The placeholders of a template; ``{spoke}`` and ``{env}`` count as ``{SPOKE}`` and ``{ENV}``."""
    found = _PLACEHOLDER.findall(template)
    return {"{" + (one.upper() if one in ("spoke", "env") else one) + "}" for one in found}


def _check(key: str, template: str) -> None:
    if len(template) > _LONGEST or any(ord(letter) < ord(" ") for letter in template):
        raise _wrong(key, f"{template!r} cannot be a name", f"Use up to {_LONGEST} printable characters.")
    if set("{}") & set(_PLACEHOLDER.sub("", template)):
        raise _wrong(key, f"{template!r} has a brace that belongs to no placeholder", _may(key))
    for placeholder in sorted(_held(template) - PLACEHOLDERS[key]):
        raise _wrong(key, f"{template!r} holds {placeholder}", _may(key))
    for placeholder, otherwise in _MUST.get(key, {}).items():
        _require(key, template, placeholder, otherwise)
    if template == _RESERVED.get(key):
        raise _wrong(key, f"{template} is Snowflake's own", "Take another name.")


def _require(key: str, template: str, placeholder: str, otherwise: str) -> None:
    if placeholder not in _held(template):
        raise _wrong(key, f"{template!r} has no {placeholder}", f"Add it: {otherwise}.")


def _check_prefix(key: str, template: str) -> None:
    before, _, after = template.partition(_NAME)
    if not before or after:
        raise _wrong(
            key,
            f"{template!r} does not end with {_NAME} after a prefix",
            "What belongs to a spoke is known by how its name begins.",
        )


def _may(key: str) -> str:
    return f"It may hold {' and '.join(sorted(PLACEHOLDERS[key])) or 'no placeholder'}."


def _wrong(key: str, what: str, hint: str) -> ConfigError:
    return ConfigError(f"layout.{key}: {what}", hint)
