"""The application: lifespan, middleware, handlers, routers; nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool

from app import api, errors, guide, pages
from app.addresses import Names
from app.api import docs, probes
from app.api.parameters import refuse_unknown
from app.assets import Assets
from app.composition import Runtime, compose
from app.dependencies import look
from app.metrics import Metrics
from app.middleware import Aged, Surround
from app.response_cache import ResponseCache
from services.core.settings import Settings, read_settings
from services.operations import Registry
from services.snowflake.embedded import EmbeddedAccount

STATIC = Path(__file__).parent / "static"


def create_app(
    settings: Settings | None = None,
    registry: Registry | None = None,
    embedded: EmbeddedAccount | None = None,
    site: Path = guide.SITE,
) -> FastAPI:
    """The application, composed but not started; its lifespan starts and stops the parts."""
    settings = settings or read_settings()
    runtime = compose(settings, registry, embedded)
    app = FastAPI(
        title="Spokehub",
        version=version("spokehub"),
        summary="The control plane for hub-and-spoke MLOps on Snowflake.",
        lifespan=_lifespan(runtime),
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        max_body_size=64 * 1024 * 1024,
    )
    app.state.domains = runtime.domains
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.readiness = probes.Readiness(runtime.database, runtime.source, runtime.operations)
    app.add_middleware(Aged)
    app.add_middleware(Names)
    app.add_middleware(ResponseCache, revision=runtime.revision, notice=runtime.notice)
    app.add_middleware(Surround, settings=settings, metrics=app.state.metrics)
    errors.install(app)
    app.mount("/static", Assets(directory=STATIC), name="static")
    app.include_router(probes.router)
    app.include_router(docs.router)
    app.mount(guide.ADDRESS, guide.Guide(site), name="guide")
    # Pages first: the first request makes ready what it passes on its way to its route.
    for router in pages.routers:
        app.include_router(router, include_in_schema=False, dependencies=[Depends(look)])
    for router in api.routers:
        app.include_router(router, prefix=api.PREFIX, dependencies=[Depends(refuse_unknown), Depends(look)])
    return app


def _lifespan(runtime: Runtime) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(_start, runtime)
        try:
            yield
        finally:
            await run_in_threadpool(runtime.stop)

    return lifespan


def _start(runtime: Runtime) -> None:
    runtime.start_to_answer()
    if runtime.embedded is not None and "example.setup" in runtime.operations.registry:
        runtime.domains.example.start_first()
