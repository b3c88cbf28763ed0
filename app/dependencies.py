"""What routes are given: the operations, who asks, and the way to start work."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse

from app.auth import User
from app.composition import Domains
from app.schemas.operations import OperationSchema
from services.costs.service import Costs
from services.example.service import Example
from services.failures.service import Failures
from services.features.health import FeatureHealth
from services.features.service import Features
from services.features.shared import SharedFeatures
from services.health.service import Health
from services.hub.service import Hub
from services.knowledge import Knowledge, known
from services.knowledge.types import Look
from services.operations import Operations, OperationView, Params
from services.overview.service import Overview
from services.predictions.service import Forecasts
from services.registry.service import Registry
from services.simulation.service import Simulation
from services.spokes.service import Spokes
from services.sync.service import Sync
from services.training.service import Training


def domains(request: Request) -> Domains:
    """The application's domains; of a route's own collaborators each has a dependency below."""
    found: Domains = request.app.state.domains
    return found


async def look(request: Request) -> None:
    """Who only looks is answered with what is known of the account, and told of when that is.

    Not a plain function: those run in another thread, which has a context of its own.
    """
    if request.method in ("GET", "HEAD"):
        request.state.look = Look()
        known.look(request.state.look)


def get_operations(request: Request) -> Operations:
    return domains(request).operations


def get_knowledge(request: Request) -> Knowledge:
    return domains(request).knowledge


def get_hub(request: Request) -> Hub:
    return domains(request).hub


def get_spokes(request: Request) -> Spokes:
    return domains(request).spokes


def get_features(request: Request) -> Features:
    return domains(request).features


def get_feature_health(request: Request) -> FeatureHealth:
    return domains(request).feature_health


def get_shared_features(request: Request) -> SharedFeatures:
    return domains(request).shared_features


def get_training(request: Request) -> Training:
    return domains(request).training


def get_registry(request: Request) -> Registry:
    return domains(request).registry


def get_predictions(request: Request) -> Forecasts:
    return domains(request).predictions


def get_simulation(request: Request) -> Simulation:
    return domains(request).simulation


def get_overview(request: Request) -> Overview:
    return domains(request).overview


def get_failures(request: Request) -> Failures:
    return domains(request).failures


def get_costs(request: Request) -> Costs:
    return domains(request).costs


def get_health(request: Request) -> Health:
    return domains(request).health


def get_example(request: Request) -> Example:
    return domains(request).example


def get_sync(request: Request) -> Sync:
    return domains(request).sync


def get_user(request: Request) -> User:
    user: User = request.state.user
    return user


OperationsDep = Annotated[Operations, Depends(get_operations)]
KnowledgeDep = Annotated[Knowledge, Depends(get_knowledge)]
HubDep = Annotated[Hub, Depends(get_hub)]
SpokesDep = Annotated[Spokes, Depends(get_spokes)]
FeaturesDep = Annotated[Features, Depends(get_features)]
FeatureHealthDep = Annotated[FeatureHealth, Depends(get_feature_health)]
SharedFeaturesDep = Annotated[SharedFeatures, Depends(get_shared_features)]
TrainingDep = Annotated[Training, Depends(get_training)]
RegistryDep = Annotated[Registry, Depends(get_registry)]
PredictionsDep = Annotated[Forecasts, Depends(get_predictions)]
SimulationDep = Annotated[Simulation, Depends(get_simulation)]
OverviewDep = Annotated[Overview, Depends(get_overview)]
FailuresDep = Annotated[Failures, Depends(get_failures)]
CostsDep = Annotated[Costs, Depends(get_costs)]
HealthDep = Annotated[Health, Depends(get_health)]
ExampleDep = Annotated[Example, Depends(get_example)]
SyncDep = Annotated[Sync, Depends(get_sync)]
UserDep = Annotated[User, Depends(get_user)]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Repeating a request with its key does its work once."),
]
Submit = Callable[[str, Params | dict[str, Any]], JSONResponse]


def accepted(view: OperationView) -> JSONResponse:
    """202 with the operation, and its address in Location."""
    body = OperationSchema.of(view).model_dump(mode="json")
    return JSONResponse(body, 202, {"Location": f"/api/v1/operations/{view.id}"})


def get_submit(operations: OperationsDep, user: UserDep, key: IdempotencyKey = None) -> Submit:
    """``submit(kind, params)`` starts work in the asker's name and answers 202."""

    def submit(kind: str, params: Params | dict[str, Any]) -> JSONResponse:
        return accepted(operations.submit(kind, params, actor=user.name, idempotency_key=key))

    return submit


SubmitDep = Annotated[Submit, Depends(get_submit)]
