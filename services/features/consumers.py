"""Who consumes which version of a feature view: by the manifests of onboarded spokes, and by what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from services.core.hub import Declaration
from services.features.types import Consumer
from services.knowledge.types import NotYetKnown
from services.snowflake.scope import Scope
from spoke_kit.layout import SHARED_SPOKE


class MadeVersion(Protocol):
    """A model version, as far as its lineage goes. ``feature_views`` and ``dataset`` are NAME$VERSION."""

    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def feature_views(self) -> tuple[str, ...]: ...
    @property
    def dataset(self) -> str | None: ...


class MadeModel(Protocol):
    """A model with its versions, newest first."""

    @property
    def versions(self) -> Sequence[MadeVersion]: ...


class Lineage(Protocol):
    """What tells of the models of a spoke."""

    def models(self, spoke: str, environment: str) -> Sequence[MadeModel]: ...


def shared_scope(hub: Declaration, environment: str) -> Scope:
    """Where the hub's own feature views are."""
    return Scope(hub, SHARED_SPOKE, environment)


def consumed_shared(scope: Scope) -> dict[str, str]:
    """``{name in the store: version}`` of the hub's feature views that the manifest names."""
    prefix = shared_scope(scope.hub, scope.environment).prefix
    return {f"{prefix}{name}": version for name, version in scope.declared.shared_features.items()}


def consumed(scope: Scope) -> set[str]:
    """NAME$VERSION of all that the spoke's pipelines read."""
    views = scope.declared.feature_views
    own = {f"{scope.prefix}{name}": view.consumes for name, view in views.items()}
    return {f"{name}${version}" for name, version in (own | consumed_shared(scope)).items()}


def consumers(scopes: Iterable[Scope], lineage: Lineage, of: str) -> tuple[Consumer, ...]:
    """Who of the spokes of ``scopes`` reads ``of`` (NAME$VERSION), in their order."""
    found = []
    for scope in scopes:
        models = _models(lineage, scope)
        made = [version for model in models for version in model.versions if of in version.feature_views]
        in_use = of in consumed(scope)
        if in_use or made:
            datasets = dict.fromkeys(version.dataset for version in made if version.dataset)
            versions = tuple(f"{version.model}${version.version}" for version in made)
            found.append(Consumer(scope.spoke, scope.environment, in_use, versions, tuple(datasets)))
    return tuple(found)


def _models(lineage: Lineage, scope: Scope) -> Sequence[MadeModel]:
    try:
        return lineage.models(scope.spoke, scope.environment)
    except NotYetKnown:
        # One spoke that was not read yet is no reason to hide the others.
        return ()
