"""Models: their versions with what was registered beside them, and which one serves."""

from __future__ import annotations

from urllib.parse import quote

from services.core.errors import Conflict, NotFound
from services.operations import Operations
from services.registry.repository import Models
from services.registry.types import Model, ModelVersion
from services.snowflake.answers import Answers
from services.snowflake.identifiers import named
from services.snowflake.scope import Scopes


class Registry:
    """See types.py."""

    def __init__(self, source: Answers, scopes: Scopes, operations: Operations) -> None:
        self._models = Models(source)
        self._scopes = scopes
        self._operations = operations

    def models(self, spoke: str, environment: str) -> tuple[Model, ...]:
        """By name, each with its versions."""
        scope = self._scopes(spoke, environment)
        return self._models.all(scope) if scope.onboarded else ()

    def versions(self, spoke: str, environment: str, model: str) -> tuple[ModelVersion, ...]:
        """Newest first; NotFound 404."""
        found = self.models(spoke, environment)
        for known in named(model, found, lambda one: one.name):
            return known.versions
        names = ", ".join(known.name for known in found)
        raise NotFound(
            f"There is no model {model!r} of {spoke} in {environment.upper()}",
            hint=f"Known: {names}." if names else "Train one first.",
            code="unknown_model",
        )

    def version(self, spoke: str, environment: str, model: str, version: str) -> ModelVersion:
        """One version; NotFound 404."""
        versions = self.versions(spoke, environment, model)
        for known in named(version, versions, lambda one: one.version):
            return known
        raise NotFound(
            f"{model} has no version {version!r}", hint="See its versions.", code="unknown_version"
        )

    def default(self, spoke: str, environment: str, model: str) -> ModelVersion | None:
        """The default version of a model of the manifest, or None."""
        name = f"{self._scopes(spoke, environment).prefix}{model}"
        versions = [
            one for known in self.models(spoke, environment) if known.name == name for one in known.versions
        ]
        return next((one for one in versions if one.is_default), None)

    def require_version(self, spoke: str, environment: str, model: str) -> None:
        """Conflict 409 while a model of the manifest has no version."""
        scope = self._scopes(spoke, environment)
        name = f"{scope.prefix}{model}"
        if any(found.versions for found in self.models(spoke, environment) if found.name == name):
            return
        graph = next(iter(scope.declared.training(model)), None)
        raise Conflict(
            f"{name} has no version in {scope.environment}",
            hint=f"Train one first: POST /api/v1/spokes/{spoke}/graphs/{quote(graph, safe='')}/runs."
            if graph
            else "No graph of the spoke trains it: register a version, or add such a graph.",
            code="no_model_version",
        )

    def start_promote(self, spoke: str, environment: str, model: str, version: str, actor: str) -> str:
        """Submit ``model.promote``; the operation's id."""
        params = self.promotion(spoke, environment, model, version)
        return self._operations.submit("model.promote", params, actor=actor).id

    def promotion(self, spoke: str, environment: str, model: str, version: str) -> dict[str, str]:
        """The parameters of ``model.promote``, the names as they are in the account; NotFound 404."""
        known = self.version(spoke, environment, model, version)
        return {
            "spoke": spoke,
            "environment": self._scopes(spoke, environment).environment,
            "model": known.model,
            "version": known.version,
        }
