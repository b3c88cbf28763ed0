"""The REST API, version 1: one module for each domain, each with a ``router``."""

from fastapi import APIRouter

from app.api import (
    costs,
    example,
    failures,
    features,
    health,
    hub,
    operations,
    overview,
    predictions,
    registry,
    schemas,
    simulation,
    spokes,
    sync,
    training,
)

PREFIX = "/api/v1"
routers: list[APIRouter] = [
    module.router
    for module in (
        operations,
        hub,
        overview,
        failures,
        costs,
        health,
        spokes,
        features,
        training,
        registry,
        predictions,
        simulation,
        example,
        sync,
        schemas,
    )
]
