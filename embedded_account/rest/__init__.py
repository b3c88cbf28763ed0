"""Snowflake's REST API, as far as snowflake.core uses it for tasks."""

from starlette.routing import Route

routes: list[Route] = []
