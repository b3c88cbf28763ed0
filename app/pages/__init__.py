"""The pages: a route parses, asks the domains, renders. The application includes `routers`."""

from fastapi import APIRouter

from app.pages import (
    costs,
    failures,
    features,
    graphs,
    health,
    hub,
    knowledge,
    operations,
    overview,
    predictions,
    registry,
    simulation,
    spokes,
    sync,
    training,
)

routers: list[APIRouter] = [
    overview.router,
    health.router,
    graphs.router,
    failures.router,
    costs.router,
    operations.router,
    spokes.router,
    features.router,
    training.router,
    registry.router,
    predictions.router,
    simulation.router,
    hub.router,
    sync.router,
    knowledge.router,
]
