"""REST: a spoke's models, their versions, and making one the default."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.addresses import Name
from app.api.parameters import EnvironmentDep, EnvironmentText, Target, pick
from app.dependencies import HubDep, RegistryDep, SubmitDep
from app.schemas.base import Listing
from app.schemas.registry import Model, ModelVersion

router = APIRouter(prefix="/spokes/{spoke}/models", tags=["models"])


@router.get("")
def list_models(registry: RegistryDep, spoke: Name, environment: EnvironmentDep) -> Listing[Model]:
    """The models by name, each with its versions."""
    return Listing(items=[Model.model_validate(model) for model in registry.models(spoke, environment)])


@router.get("/{model}/versions")
def list_versions(
    registry: RegistryDep, spoke: Name, model: Name, environment: EnvironmentDep
) -> Listing[ModelVersion]:
    """The versions, newest first, with metrics and lineage."""
    versions = registry.versions(spoke, environment, model)
    return Listing(items=[ModelVersion.model_validate(version) for version in versions])


@router.get("/{model}/versions/{version}")
def get_version(
    registry: RegistryDep, spoke: Name, model: Name, version: Name, environment: EnvironmentDep
) -> ModelVersion:
    """One version."""
    return ModelVersion.model_validate(registry.version(spoke, environment, model, version))


@router.post("/{model}/versions/{version}/promote", status_code=202, response_model=None)
def promote(
    hub: HubDep,
    registry: RegistryDep,
    submit: SubmitDep,
    spoke: Name,
    model: Name,
    version: Name,
    body: Target | None = None,
    environment: EnvironmentText = None,
) -> JSONResponse:
    """Make it the default version; 409 when it is already."""
    where = pick(hub, body.environment if body else None, environment)
    return submit("model.promote", registry.promotion(spoke, where, model, version))
