"""What surrounds every request: security headers, who asks, the log line, the answer to the unforeseen."""

import time

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import auth, errors
from app.addresses import here
from app.metrics import Metrics
from app.policy import HEADER, policy
from app.proxies import Proxies
from services.core.clock import isoformat
from services.core.errors import SpokehubError, Unauthenticated
from services.core.logging import logger
from services.core.settings import Settings
from services.knowledge.types import Look

_HEADERS = {
    HEADER: policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

log = logger(__name__)


class Surround:
    """The outermost layer, as plain ASGI: it must not hold back streams."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self.settings = settings
        self.metrics = metrics
        self.proxies = Proxies(settings.web.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, method = time.perf_counter(), scope["method"]
        status = 0
        if method == "HEAD":
            receive, send = _without_body(scope, receive, send)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope, receive)
        try:
            # The name that the browser used: what a proxy says of it would hide a rebound one.
            self._check_host(request)
            self.proxies.believe(scope)
            request = Request(scope, receive)
            self._admit(request)
            await self.app(scope, receive, sending)
        except SpokehubError as error:
            headers = {}
            if isinstance(error, Unauthenticated):
                headers = {"WWW-Authenticate": 'Bearer realm="Spokehub", Basic realm="Spokehub"'}
            response = errors.answer(request, errors.of_service(error), headers)
            await response(scope, receive, sending)
        except Exception:
            log.exception("request.broke", method=method, path=here(request))
            if status:
                raise
            response = await run_in_threadpool(errors.answer, request, errors.unforeseen())
            await response(scope, receive, sending)
        finally:
            self._observe(request, method, status, time.perf_counter() - began)

    def _check_host(self, request: Request) -> None:
        if here(request) not in auth.OPEN:
            auth.check_host(request, self.settings)

    def _admit(self, request: Request) -> None:
        if here(request) in auth.OPEN:
            return
        user = auth.identify(request, self.settings)
        auth.admit(request, user)
        request.state.user = user
        request.state.actor = user.name

    def _observe(self, request: Request, method: str, status: int, seconds: float) -> None:
        route = getattr(request.scope.get("route"), "path", None) or "(none)"
        self.metrics.observe(method, route, status, seconds)
        path = here(request)
        level = "warning" if status >= 500 and path not in auth.OPEN else "debug"
        getattr(log, level)("request", method=method, path=path, status=status, seconds=round(seconds, 4))


class Aged:
    """Says of what was answered from what is known when the oldest of it was read. Kept answers keep it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen: Look | None = scope.get("state", {}).get("look")
                if seen is not None and seen.as_of is not None:
                    MutableHeaders(scope=message)["Spokehub-As-Of"] = isoformat(seen.as_of)
            await send(message)

        await self.app(scope, receive, sending)


def _without_body(scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """HEAD is answered as GET is, without its body: probes and proxies ask so.

    https://www.rfc-editor.org/rfc/rfc9110#name-head
    """
    scope["method"] = "GET"
    begun = False

    async def receiving() -> Message:
        # Once the headers are out there is nobody left who would read a stream.
        return {"type": "http.disconnect"} if begun else await receive()

    async def sending(message: Message) -> None:
        nonlocal begun
        if message["type"] == "http.response.start":
            begun = True
            await send(message)
            await send({"type": "http.response.body", "body": b""})

    return receiving, sending
