"""What watches the service asks: is it alive, is it ready, what has it done."""

import threading
import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from app.dependencies import OperationsDep
from services.core.errors import SpokehubError
from services.core.logging import logger
from services.db.engine import Database
from services.operations import Operations
from services.snowflake.connection import ConnectionSource

router = APIRouter(tags=["probes"])
log = logger(__name__)

_KEPT_SECONDS = 5.0
_HEARD_SECONDS = 600.0


class Readiness:
    """Whether the database and the account answer and operations are worked on.

    The account is asked at most every five seconds, and not while it answered anybody within ten minutes.
    """

    def __init__(self, database: Database, source: ConnectionSource, operations: Operations) -> None:
        self._database = database
        self._source = source
        self._operations = operations
        self._lock = threading.Lock()
        self._asked = 0.0
        self._account: str | None = None

    def checks(self) -> dict[str, str]:
        """What was checked, and "ok" or what is wrong with it."""
        return {
            "database": self._ask_database(),
            "operations": "ok" if self._operations.started else "starting",
            "account": self._ask_account(),
        }

    def _ask_database(self) -> str:
        try:
            self._database.ping()
        except Exception as error:
            log.warning("database.unavailable", exc_info=error)
            return "does not answer"
        return "ok"

    def _ask_account(self) -> str:
        with self._lock:
            if self._account != "ok" or time.monotonic() - self._asked > _KEPT_SECONDS:
                self._account = self._ping()
                self._asked = time.monotonic()
            return self._account

    def _ping(self) -> str:
        try:
            self._source.ping(_HEARD_SECONDS)
        except SpokehubError as error:
            return error.message
        except Exception as error:
            log.warning("account.unavailable", exc_info=error)
            return "does not answer"
        return "ok"


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> JSONResponse:
    """200 when the database and the account answer and operations are worked on; 503 says what is wrong."""
    checks = request.app.state.readiness.checks()
    ready = all(value == "ok" for value in checks.values())
    return JSONResponse({"status": "ok" if ready else "unavailable", "checks": checks}, 200 if ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request, operations: OperationsDep) -> PlainTextResponse:
    """Prometheus' text format."""
    body = request.app.state.metrics.text(operations.counts())
    return PlainTextResponse(body, media_type="text/plain; version=0.0.4; charset=utf-8")
