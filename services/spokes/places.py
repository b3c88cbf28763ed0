"""Whose schema is this? From the names in the account back to the spoke and the environment."""

from __future__ import annotations

import threading

from services.spokes.repository import Catalogue
from spoke_kit.layout import Layout

Place = tuple[str, str]


class Places:
    """``place(database, schema)`` of the onboarded spokes; asks the catalogue only when something changed in it."""

    def __init__(self, catalogue: Catalogue, layout: Layout) -> None:
        self._catalogue = catalogue
        self._layout = layout
        self._known: dict[tuple[str, str], Place] = {}
        self._as_of = -1
        self._lock = threading.Lock()

    def place(self, database: str, schema: str) -> Place | None:
        """(spoke, environment) whose own schema this is; None for a schema of nobody's."""
        return self._places().get((database, schema))

    def all(self) -> dict[Place, tuple[str, str]]:
        """(database, schema) of each onboarded spoke in each of its environments."""
        return {place: where for where, place in self._places().items()}

    def _places(self) -> dict[tuple[str, str], Place]:
        with self._lock:
            now = self._catalogue.revision
            if now != self._as_of:
                self._known = {
                    (self._layout.database_in(environment), self._layout.schema_of(spoke, environment)): (
                        spoke,
                        environment,
                    )
                    for spoke, environment in self._catalogue.onboarded()
                }
                self._as_of = now
            return self._known
