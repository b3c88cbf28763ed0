"""The pages: a route parses, asks the domains, renders. The application includes `routers`."""

from fastapi import APIRouter

from app.pages import (
    costs,
    failures,
    features,
    hub,
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
]
