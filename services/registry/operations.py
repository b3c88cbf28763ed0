"""``model.promote``: a version becomes the default one of its model."""

from __future__ import annotations

from typing import Any

from services.core.errors import Conflict
from services.operations import OperationKind, Params, Step, StepContext
from services.registry.repository import promote_sql


class Promote(Params):
    """The version to make the default."""

    spoke: str
    environment: str
    model: str
    version: str


def check(params: Promote, services: Any) -> None:
    """NotFound for the version; Conflict when it is the default already."""
    services.spokes.scope(params.spoke, params.environment).require()
    version = services.registry.version(params.spoke, params.environment, params.model, params.version)
    if version.is_default:
        raise Conflict(
            f"{params.version} is the default version of {params.model} already",
            hint="There is nothing to do.",
            code="already_default",
        )


def promote(context: StepContext, params: Promote) -> dict[str, Any]:
    """Set it, and tell which one it replaces."""
    services = context.services
    versions = services.registry.versions(params.spoke, params.environment, params.model)
    before = next((one.version for one in versions if one.is_default), None)
    scope = services.spokes.scope(params.spoke, params.environment)
    with context.connect() as connection, connection.cursor() as cursor:
        cursor.execute(promote_sql(scope, params.model, params.version))
    replaced = before if before != params.version else None
    context.log(f"{params.version} is the default version" + (f" in place of {replaced}" if replaced else ""))
    return {"model": params.model, "version": params.version, "replaced": replaced}


def verify(context: StepContext, params: Promote) -> Any:
    """Read it again."""
    version = context.services.registry.version(
        params.spoke, params.environment, params.model, params.version
    )
    if not version.is_default:
        raise Conflict(
            f"{params.version} did not become the default version of {params.model}",
            hint="Somebody else may have promoted another one; look at the versions, then try again.",
            code="not_promoted",
        )
    return context.result_of("promote")


KINDS = (
    OperationKind(
        "model.promote",
        "Promote a model version",
        Promote,
        [Step("promote", "Make it the default version", promote), Step("verify", "Read it again", verify)],
        queue_key=lambda params: f"{params.spoke}/{params.environment}",
        validate=check,
        describe=lambda params: f"Make {params.version} the default version of {params.model}",
    ),
)
