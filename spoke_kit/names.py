"""Where a spoke's objects live in one environment: databases, schemas and prefixed names, by the hub's layout."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spoke_kit.errors import ConfigError
from spoke_kit.layout import SHARED_SPOKE, Layout

ENVIRONMENTS = ("DEV", "STAGING", "PROD")

_IDENTIFIER = re.compile(r"[A-Z_][A-Z0-9_]*")
# https://docs.snowflake.com/en/sql-reference/identifiers-syntax: unquoted, and stored as they are written.
_UNQUOTED = re.compile(r"[A-Z_][A-Z0-9_$]*")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?::([^{}]+))?\}")


def quote(name: str) -> str:
    """``NAME`` as a quoted identifier; quotes inside are doubled."""
    return '"' + name.replace('"', '""') + '"'


def argument(name: str) -> str:
    """``NAME`` for an argument of Snowflake's clients, which read what is not quoted in upper case."""
    return name if _UNQUOTED.fullmatch(name) else quote(name)


def literal(text: str) -> str:
    """``text`` as a SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def pattern(name: str) -> str:
    """A literal for LIKE that matches the names which begin with ``name``."""
    escaped = re.sub(r"([%_\\])", r"\\\1", name)
    return literal(escaped + "%")


def identifier(name: str, what: str) -> str:
    """``name`` in upper case when it is a plain identifier; else ConfigError naming ``what``."""
    upper = name.upper()
    if not _IDENTIFIER.fullmatch(upper):
        raise ConfigError(
            f"{what}: {name!r} is not a plain identifier", "Use letters, digits and underscores."
        )
    return upper


@dataclass(frozen=True)
class Names:
    """The names of one spoke in one environment."""

    layout: Layout
    spoke: str
    environment: str

    def __post_init__(self) -> None:
        identifier(self.spoke, "spoke")
        object.__setattr__(self, "environment", self.environment.upper())
        if self.environment not in ENVIRONMENTS:
            raise ConfigError(
                f"unknown environment {self.environment!r}", f"Use one of {', '.join(ENVIRONMENTS)}."
            )

    @property
    def database(self) -> str:
        """The database of the three schemas below."""
        return self.layout.database_in(self.environment)

    @property
    def schema(self) -> str:
        """The schema of the spoke's tables, views, procedures, tasks and bundles."""
        return self.layout.schema_of(self.spoke, self.environment)

    @property
    def feature_store(self) -> str:
        return self.layout.feature_store_in(self.environment)

    @property
    def model_registry(self) -> str:
        return self.layout.model_registry_in(self.environment)

    def prefixed(self, name: str) -> str:
        """The name of a feature view, dataset or model of the spoke."""
        return self.layout.object_of(self.spoke, name)

    def shared_feature(self, name: str) -> str:
        """The name of a feature view of the hub's."""
        return self.layout.object_of(SHARED_SPOKE, name)

    def own(self, name: str) -> str:
        """The quoted, qualified name of an object in the spoke's own schema."""
        return self.qualified(self.schema, name)

    def shared(self, name: str) -> str:
        """The quoted, qualified name of a table in the shared schema."""
        return ".".join(map(quote, (self.layout.shared_database, self.layout.shared_schema, name)))

    def qualified(self, schema: str, name: str) -> str:
        """The quoted name of an object in a schema of the spoke's database."""
        return ".".join(map(quote, (self.database, schema, name)))

    def render(self, sql: str, **values: str) -> str:
        """Fill ``{own:NAME}``, ``{shared:NAME}`` and ``{value}`` placeholders.

        ConfigError for a placeholder that means nothing.
        """

        def replace(match: re.Match[str]) -> str:
            key, name = match.group(1), match.group(2)
            if name and key == "own":
                return self.own(name)
            if name and key == "shared":
                return self.shared(name)
            if not name and key in values:
                return values[key]
            if name and f"{key}:{name}" in values:
                return values[f"{key}:{name}"]
            raise ConfigError(f"unknown placeholder {match.group(0)} in SQL")

        return _PLACEHOLDER.sub(replace, sql)
