"""Declares feature views and registers them, so that doing it again changes nothing.

A registered version is a promise to those who trained on it: outside DEV a changed definition needs a new
version. The definition's digest is kept in the description of the feature view.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from snowflake.ml.feature_store import CreationMode, FeatureStore, FeatureView
from snowflake.ml.feature_store import Entity as StoreEntity

from spoke_kit.errors import DefinitionError, VersionChanged
from spoke_kit.manifest import Entity, Manifest, OfferedView
from spoke_kit.names import Names, argument, quote

Views = Mapping[str, OfferedView]
Entities = Mapping[str, Entity]

_DIGEST = re.compile(r"\(definition ([0-9a-f]{12})\)")

CREATE, KEEP, REPLACE, REFUSE = "create", "keep", "replace", "refuse"


@dataclass(frozen=True)
class Definition:
    """One version of a feature view: its query, with ``{shared:TABLE}`` placeholders, and its columns."""

    query: str
    description: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Offer:
    """A feature view version as it should be in the store."""

    name: str
    version: str
    view: OfferedView
    query: str
    definition: Definition

    @property
    def digest(self) -> str:
        content = repr(
            (self.query, sorted(self.definition.columns.items()), self.view.refresh, self.view.timestamp)
        )
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def description(self) -> str:
        return f"{self.definition.description} (definition {self.digest})"


@dataclass(frozen=True)
class Change:
    """What registering does to one version: create, keep, replace or refuse."""

    name: str
    version: str
    action: str


def open_store(session: Any, names: Names, warehouse: str, *, create: bool = False) -> FeatureStore:
    """The environment's feature store; with ``create`` its tags and tables are made when missing."""
    mode = CreationMode.CREATE_IF_NOT_EXIST if create else CreationMode.FAIL_IF_NOT_EXIST
    database, schema = argument(names.database), argument(names.feature_store)
    return FeatureStore(session, database, schema, warehouse, creation_mode=mode)


def store_exists(session: Any, names: Names) -> bool:
    """Whether the environment's schema was made a feature store."""
    rows = session.sql(
        f"SHOW TAGS LIKE 'SNOWML_FEATURE_STORE_OBJECT' IN DATABASE {quote(names.database)}"
    ).collect()
    return any(row["schema_name"] == names.feature_store for row in rows)


def offers(package: str, views: Views, names: Names, named: Callable[[str], str]) -> list[Offer]:
    """Every version that ``views`` offer, from the modules of ``package``; ``named`` gives the name in the store."""
    found = []
    for name, view in views.items():
        module = importlib.import_module(f"{package}.{view.module}")
        versions: Mapping[str, Definition] = getattr(module, "VERSIONS", {})
        for version in view.offers:
            if version not in versions:
                raise DefinitionError(
                    f"{name} offers {version}, which {view.module} does not define",
                    f"Add {version!r} to VERSIONS in {view.module}.",
                )
            definition = versions[version]
            _refuse_quotes(f"{view.module} {version}", definition)
            query = names.render(definition.query)
            found.append(Offer(named(name), version, view, query, definition))
    return found


def _refuse_quotes(what: str, definition: Definition) -> None:
    """snowflake-ml writes the descriptions of columns into its statements as they are."""
    for text in definition.columns.values():
        if "'" in text:
            raise DefinitionError(
                f"{what}: the column's description {text!r} holds an apostrophe", "Say it without one."
            )


def registered(store: FeatureStore | None) -> dict[tuple[str, str], str]:
    """``{(name, version): definition digest}`` of what the store holds; the digest is empty when unknown.

    A store that is not there yet holds nothing.
    """
    found: dict[tuple[str, str], str] = {}
    if store is None:
        return found
    for row in store.list_feature_views().collect():
        match = _DIGEST.search(row["DESC"] or "")
        found[row["NAME"], row["VERSION"]] = match.group(1) if match else ""
    return found


def plan(store: FeatureStore | None, wanted: list[Offer], environment: str) -> list[Change]:
    """What registering would do."""
    present = registered(store)
    return [Change(offer.name, offer.version, _action(offer, present, environment)) for offer in wanted]


def _action(offer: Offer, present: Mapping[tuple[str, str], str], environment: str) -> str:
    digest = present.get((offer.name, offer.version))
    if digest is None:
        return CREATE
    if digest == offer.digest:
        return KEEP
    return REPLACE if environment == "DEV" else REFUSE


def register(
    session: Any, store: FeatureStore, entities: Entities, environment: str, wanted: list[Offer]
) -> list[Change]:
    """Register entities and versions.

    VersionChanged, before anything is written, for a changed version outside DEV.
    """
    changes = plan(store, wanted, environment)
    for change in changes:
        if change.action == REFUSE:
            raise VersionChanged(
                f"{change.name} {change.version} is registered with another definition",
                "Offer the change as a new version; a registered one is replaced in DEV only.",
            )
    known = _entities(store, entities)
    for offer, change in zip(wanted, changes, strict=True):
        if change.action == KEEP:
            continue
        view = FeatureView(
            name=argument(offer.name),
            entities=[known[name] for name in offer.view.entities],
            feature_df=session.sql(offer.query),
            timestamp_col=offer.view.timestamp,
            refresh_freq=offer.view.refresh,
            desc=offer.description,
        ).attach_feature_desc(dict(offer.definition.columns))
        store.register_feature_view(view, offer.version, overwrite=change.action == REPLACE)
    return changes


def _entities(store: FeatureStore, entities: Entities) -> dict[str, Any]:
    present = {row["NAME"] for row in store.list_entities().collect()}
    found = {}
    for name, entity in entities.items():
        if name not in present:
            store.register_entity(StoreEntity(argument(name), list(entity.keys), desc=entity.description))
        found[name] = store.get_entity(argument(name))
    return found


def consumed(store: FeatureStore, manifest: Manifest, names: Names) -> list[FeatureView]:
    """The feature views that the pipelines consume: the spoke's own, then the hub's, as the manifest orders them."""
    return [
        store.get_feature_view(argument(name), version)
        for name, version in consumed_versions(manifest, names).items()
    ]


def consumed_versions(manifest: Manifest, names: Names) -> dict[str, str]:
    """``{name in the store: version}`` of what the pipelines consume."""
    own = {names.prefixed(name): view.consumes for name, view in manifest.feature_views.items()}
    shared = {names.shared_feature(name): version for name, version in manifest.shared_features.items()}
    return own | shared


def refresh(store: FeatureStore, views: list[FeatureView]) -> list[str]:
    """Refresh those that are materialised, so that they hold this morning; returns their names."""
    refreshed = []
    for view in views:
        if view.refresh_freq is not None:
            store.refresh_feature_view(view)
            refreshed.append(str(view.name))
    return refreshed


def feature_columns(views: list[FeatureView]) -> list[str]:
    """The names of all features of ``views``, in order."""
    return [str(name) for view in views for name in view.feature_names]
