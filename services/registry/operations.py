"""``model.promote``: a version becomes the default one of its model."""

from __future__ import annotations

from typing import Any

from services.core.errors import Conflict
from services.operations import OperationKind, Params, Step, StepContext
from services.registry.repository import promote_sql
from services.registry.service import Registry
from services.registry.types import ModelVersion
from services.snowflake.scope import Scopes


class Promote(Params):
    """The version to make the default."""

    spoke: str
    environment: str
    model: str
    version: str


class RegistryOperations:
    """The kinds of operation of this domain."""

    def __init__(self, registry: Registry, scopes: Scopes) -> None:
        self._registry = registry
        self._scopes = scopes

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``model.promote``."""
        return (
            OperationKind(
                "model.promote",
                "Promote a model version",
                Promote,
                [
                    Step("promote", "Make it the default version", self.promote),
                    Step("verify", "Read it again", self.verify),
                ],
                queue_key=lambda params: f"{params.spoke}/{params.environment}",
                validate=self.check,
                describe=lambda params: f"Make {params.version} the default version of {params.model}",
            ),
        )

    def check(self, params: Promote) -> None:
        """NotFound for the version; Conflict when it is the default already."""
        self._scopes(params.spoke, params.environment).require()
        if self._version(params).is_default:
            raise Conflict(
                f"{params.version} is the default version of {params.model} already",
                hint="There is nothing to do.",
                code="already_default",
            )

    def promote(self, context: StepContext, params: Promote) -> dict[str, Any]:
        """Set it, and tell which one it replaces."""
        versions = self._registry.versions(params.spoke, params.environment, params.model)
        before = next((one.version for one in versions if one.is_default), None)
        scope = self._scopes(params.spoke, params.environment)
        with context.connect() as connection, connection.cursor() as cursor:
            cursor.execute(promote_sql(scope, params.model, params.version))
        replaced = before if before != params.version else None
        told = f" in place of {replaced}" if replaced else ""
        context.log(f"{params.version} is the default version{told}")
        return {"model": params.model, "version": params.version, "replaced": replaced}

    def verify(self, context: StepContext, params: Promote) -> Any:
        """Read it again."""
        if not self._version(params).is_default:
            raise Conflict(
                f"{params.version} did not become the default version of {params.model}",
                hint="Somebody else may have promoted another one; look at the versions, then try again.",
                code="not_promoted",
            )
        return context.result_of("promote")

    def _version(self, params: Promote) -> ModelVersion:
        return self._registry.version(params.spoke, params.environment, params.model, params.version)
