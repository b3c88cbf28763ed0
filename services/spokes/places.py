"""Whose schema is this? From the names in the account back to the spoke and the environment."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from services.spokes.repository import Catalogue
from spoke_kit.layout import Layout

Place = tuple[str, str]


class Places:
    """``place`` of the onboarded spokes; asks the catalogue only when something changed in it."""

    def __init__(self, catalogue: Catalogue, layout: Layout) -> None:
        self._catalogue = catalogue
        self._layout = layout
        self._known: dict[tuple[str, str], Place] = {}
        # Of each feature store what the names of a spoke's views begin with, the longest first.
        self._prefixes: dict[tuple[str, str], list[tuple[str, Place]]] = {}
        self._as_of = -1
        self._lock = threading.Lock()

    def place(self, database: str, schema: str, name: str | None = None) -> Place | None:
        """(spoke, environment) whose own schema this is, or whose feature view ``name`` is in a feature store.

        None for what is nobody's.
        """
        found = self._places().get((database, schema))
        if found is None and name is not None:
            for prefix, place in self._prefixes.get((database, schema), ()):
                if name.startswith(prefix):
                    return place
        return found

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
                self._prefixes = self._stores(self._known.values())
                self._as_of = now
            return self._known

    def _stores(self, places: Iterable[Place]) -> dict[tuple[str, str], list[tuple[str, Place]]]:
        found: dict[tuple[str, str], list[tuple[str, Place]]] = {}
        for spoke, environment in places:
            layout = self._layout
            store = (layout.database_in(environment), layout.feature_store_in(environment))
            found.setdefault(store, []).append((layout.prefix_of(spoke), (spoke, environment)))
        for prefixes in found.values():
            prefixes.sort(key=lambda one: len(one[0]), reverse=True)
        return found
