"""The REST API, version 1: one module for each domain, each with a ``router``."""

from fastapi import APIRouter

from app.api import operations

PREFIX = "/api/v1"
routers: list[APIRouter] = [operations.router]
