"""Where a spoke's objects live: database, schemas and prefixed names for one environment."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spoke_kit.errors import ConfigError

ENVIRONMENTS = ("DEV", "STAGING", "PROD")
SHARED_SCHEMA = "SHARED_DATA"

_IDENTIFIER = re.compile(r"[A-Z_][A-Z0-9_]*")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?::([A-Z0-9_$]+))?\}")


def quote(name: str) -> str:
    """``NAME`` as a quoted identifier; quotes inside are doubled."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as a SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


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
    """The names of one spoke in one environment of one database."""

    database: str
    spoke: str
    environment: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "spoke", identifier(self.spoke, "spoke"))
        object.__setattr__(self, "environment", self.environment.upper())
        if self.environment not in ENVIRONMENTS:
            raise ConfigError(
                f"unknown environment {self.environment!r}", f"Use one of {', '.join(ENVIRONMENTS)}."
            )

    @property
    def schema(self) -> str:
        """``<SPOKE>_<ENV>``: tables, views, procedures, tasks and bundles of the spoke."""
        return f"{self.spoke}_{self.environment}"

    @property
    def feature_store(self) -> str:
        return f"FEATURE_STORE_{self.environment}"

    @property
    def model_registry(self) -> str:
        return f"MODEL_REGISTRY_{self.environment}"

    def prefixed(self, name: str) -> str:
        """``<SPOKE>__<NAME>``: the name of a feature view, dataset or model."""
        return f"{self.spoke}__{name}"

    def shared_feature(self, name: str) -> str:
        """``SHARED__<NAME>``: the name of a feature view of the hub's."""
        return f"SHARED__{name}"

    def own(self, name: str) -> str:
        """The quoted, qualified name of an object in the spoke's own schema."""
        return self.qualified(self.schema, name)

    def shared(self, name: str) -> str:
        """The quoted, qualified name of a table in SHARED_DATA."""
        return self.qualified(SHARED_SCHEMA, name)

    def qualified(self, schema: str, name: str) -> str:
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
            raise ConfigError(f"unknown placeholder {match.group(0)} in SQL")

        return _PLACEHOLDER.sub(replace, sql)
