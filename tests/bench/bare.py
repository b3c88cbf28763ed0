"""What the framework alone does: 50 runs by a model, and as a page of a table. `python -m tests.bench.bare PORT`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from pydantic import BaseModel

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_PAGE = """<!doctype html><html><head><title>Runs</title></head><body><table>
{% for run in runs %}<tr><td>{{ run.spoke }}</td><td>{{ run.graph }}</td><td>{{ run.run_id }}</td>
<td>{{ run.state }}</td><td>{{ run.started_at }}</td><td>{{ run.seconds }}</td></tr>{% endfor %}
</table></body></html>"""


class Run(BaseModel):
    spoke: str
    environment: str
    graph: str
    run_id: str
    state: str
    started_at: datetime
    seconds: float


def create_app() -> FastAPI:
    """Two routes that read nothing: the answer to one run, and a page of fifty."""
    app = FastAPI(openapi_url=None)
    runs = [
        Run(
            spoke=f"spoke_{at}", environment="PROD", graph="TRAINING", run_id=str(at), state="SUCCEEDED",
            started_at=_NOW - timedelta(minutes=at), seconds=12.5,
        )
        for at in range(50)
    ]  # fmt: skip
    page = Environment(autoescape=True).from_string(_PAGE)

    @app.get("/model")
    async def one() -> Run:
        return runs[0]

    @app.get("/models")
    async def many() -> list[Run]:
        return runs

    @app.get("/page", response_class=HTMLResponse)
    async def table() -> str:
        return page.render(runs=runs)

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
    )
