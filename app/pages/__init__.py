"""The pages: a route parses, asks the domains, renders. The application includes `routers`."""

from fastapi import APIRouter

from app.pages import (
    failures,
    features,
    hub,
    knowledge,
    operations,
    overview,
    predictions,
    registry,
    simulation,
    spokes,
    training,
)

routers: list[APIRouter] = [
    overview.router,
    operations.router,
    spokes.router,
    features.router,
    training.router,
    registry.router,
    predictions.router,
    failures.router,
    simulation.router,
    hub.router,
    knowledge.router,
]
