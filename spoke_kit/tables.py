"""Applies a spoke's own SQL files: tables that are kept, and views that are replaced."""

from __future__ import annotations

from importlib import resources
from typing import Any

from spoke_kit.errors import DefinitionError
from spoke_kit.manifest import Manifest
from spoke_kit.names import Names, literal, quote


def statements(package: str, manifest: Manifest, names: Names) -> list[str]:
    """The statements of ``tables:``, in order, with names and alert levels filled in.

    A statement ends with a semicolon at the end of a line.
    """
    found = []
    values = levels(manifest)
    for file in manifest.tables:
        path = resources.files(package).joinpath(file)
        if not path.is_file():
            raise DefinitionError(f"tables names {file}, which is not there")
        for part in path.read_text("utf-8").split(";\n"):
            text = "\n".join(line for line in part.splitlines() if not line.lstrip().startswith("--"))
            if text.strip(" ;\n"):
                found.append(names.render(text.strip(" ;\n"), **values))
    return found


def levels(manifest: Manifest) -> dict[str, str]:
    """``{level:PREDICTION.LEVEL}``: the alert levels of the predictions, for views that tell of alerts."""
    return {
        f"level:{name}.{level}": repr(value)
        for name, prediction in manifest.predictions.items()
        if prediction.alert
        for level, value in prediction.alert.levels.items()
    }


def deploy(session: Any, package: str, manifest: Manifest, names: Names) -> int:
    """Make the spoke's schema, bundle stage, tables and views; returns how many statements ran.

    Each is CREATE … IF NOT EXISTS or CREATE OR REPLACE VIEW, so that doing it again changes nothing.
    """
    ensure_schemas(session, names)
    wanted = statements(package, manifest, names)
    for text in wanted:
        session.sql(text).collect()
    return len(wanted)


def missing_schemas(session: Any, names: Names) -> list[str]:
    """Which of the spoke's, feature store's and registry's schemas are not there."""
    wanted = [names.schema, names.feature_store, names.model_registry]
    rows = session.sql(f"SHOW SCHEMAS IN DATABASE {quote(names.database)}").collect()
    present = {row["name"] for row in rows}
    return [schema for schema in wanted if schema not in present]


def ensure_schemas(session: Any, names: Names) -> None:
    """Create missing schemas only: a spoke's role may use them without the right to create any."""
    for schema in missing_schemas(session, names):
        session.sql(f"CREATE SCHEMA IF NOT EXISTS {quote(names.database)}.{quote(schema)}").collect()


def table_exists(session: Any, names: Names, schema: str, table: str) -> bool:
    rows = session.sql(
        f"SHOW TABLES LIKE {literal(table)} IN SCHEMA {quote(names.database)}.{quote(schema)}"
    ).collect()
    return any(row["name"] == table for row in rows)
