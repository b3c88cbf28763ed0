"""Enters the spokes of a synthetic history in the catalogue; nothing of them is in the account."""

from __future__ import annotations

from collections.abc import Sequence

from services.core.hub import Declaration
from services.db.engine import Database
from services.db.migrate import migrate
from services.spokes.repository import Catalogue
from spoke_kit.manifest import Manifest


def enter(url: str, declared: Declaration, names: Sequence[str]) -> int:
    """Spokes that are there stay as they are; returns how many are new. Again is as good as once."""
    database = Database(url)
    try:
        migrate(database)
        catalogue = Catalogue(database, declared.layout)
        active = {spoke.name for spoke in catalogue.all()}
        for name in names:
            if name in active:
                continue
            title = name.replace("_", " ").capitalize()
            for environment in declared.environments:
                catalogue.enter(_manifest(name, title, declared.warehouse.name), environment.name)
                catalogue.activate(name, environment.name)
        return len([name for name in names if name not in active])
    finally:
        database.close()


def _manifest(name: str, title: str, warehouse: str) -> Manifest:
    return Manifest.model_validate(
        {
            "version": 1,
            "spoke": name,
            "title": title,
            "owner": "Synthetic history",
            "description": "A spoke of a synthetic history: its runs are made up, and it has no objects.",
            "compute": {"warehouse": warehouse, "packages": [], "artifact_repository": None},
        }
    )
