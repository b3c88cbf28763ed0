"""Answers kept rendered and compressed for as long as nothing changed, and made once for all who ask at once.

Inside the authentication: who asks is a part of what an answer is kept for. An answer holds while the revision
that it was made at stands, and for two seconds at most, because pages tell ages.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.auth import SAFE
from app.compression import SMALLEST, accepts_gzip, compressible, gzipped, varied
from services.core.revision import Revision

Headers = list[tuple[bytes, bytes]]

KEPT_SECONDS = 2.0
NOTICED_SECONDS = 0.5
MOST_BYTES = 16 * 1024 * 1024
LARGEST_BYTES = 2 * 1024 * 1024
# What must be of this moment, and what keeps its files compressed itself.
APART = ("/healthz", "/readyz", "/metrics", "/static/", "/docs/guide")
# Which headers of a request an answer may depend on, besides all of HTMX'. Whatever reads another one in a page
# or in the REST API adds it here.
READ = frozenset({b"accept", b"host"})
# Larger bodies are compressed in another thread.
_LARGE = 16 * 1024
_OVERHEAD = 1024
_OF_BODY = frozenset({b"content-length", b"content-type", b"content-encoding"})


class Answer:
    """One whole response: its plain body, and the compressed one once somebody wanted that."""

    def __init__(
        self, status: int, headers: Headers, body: bytes, route: BaseRoute | None, revision: int
    ) -> None:
        given = dict(headers)
        self.status = status
        self.body = body
        self.route = route
        self.revision = revision
        self.made = monotonic()
        self.packed: bytes | None = None
        own = given.get(b"content-encoding") is not None
        content_type = given.get(b"content-type", b"").decode("latin-1")
        self.compressible = not own and len(body) >= SMALLEST and compressible(content_type)
        # Never of one user for another, nor a file that is sent once.
        self.shared = b"set-cookie" not in given and b"content-disposition" not in given
        self.kept = self.shared and status < 500 and len(body) <= LARGEST_BYTES
        if self.compressible:
            vary = varied(given.get(b"vary", b"").decode("latin-1"))
            headers = [pair for pair in headers if pair[0] != b"vary"]
            headers.append((b"vary", vary.encode("latin-1")))
        if b"cache-control" not in given:
            headers = [*headers, (b"cache-control", b"private, no-cache")]
        self.etag = given.get(b"etag")
        if self.etag is None and status == 200:
            # Weak: one for the plain and the compressed body.
            self.etag = b'W/"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'
            headers = [*headers, (b"etag", self.etag)]
        self._headers = headers
        self._other = [pair for pair in headers if pair[0] != b"content-length"]

    @property
    def weight(self) -> int:
        return len(self.body) + len(self.packed or b"") + _OVERHEAD

    async def pack(self) -> None:
        """Compress the body, once."""
        if self.packed is None and self.compressible:
            if len(self.body) > _LARGE:
                self.packed = await run_in_threadpool(gzipped, self.body)
            else:
                self.packed = gzipped(self.body)

    async def send(self, asked: dict[bytes, bytes], send: Send) -> None:
        """Send it as the headers of the request want it."""
        if self.etag is not None and (known := asked.get(b"if-none-match")) and _matches(known, self.etag):
            unchanged = [pair for pair in self._headers if pair[0] not in _OF_BODY]
            await _send(send, 304, unchanged, b"")
        elif self.packed is not None and _wants_gzip(asked):
            length = str(len(self.packed)).encode()
            coded = [*self._other, (b"content-encoding", b"gzip"), (b"content-length", length)]
            await _send(send, self.status, coded, self.packed)
        else:
            await _send(send, self.status, self._headers, self.body)


class Kept:
    """The answers by what was asked, at most ``most`` bytes of them, the oldest dropped first."""

    def __init__(self, most: int = MOST_BYTES, seconds: float = KEPT_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._weights: dict[Hashable, int] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: Hashable, revision: int) -> Answer | None:
        """The answer, if it still holds."""
        found = self._answers.get(key)
        if found is None:
            return None
        return found if found.revision == revision and self._is_young(found) else None

    def put(self, key: Hashable, answer: Answer) -> None:
        self._drop(key)
        self._answers[key] = answer
        self._weights[key] = answer.weight
        self.bytes += answer.weight
        self.sweep()

    def weigh(self, key: Hashable, answer: Answer) -> None:
        """``answer`` has grown; nothing, if it is no longer kept."""
        if self._answers.get(key) is answer:
            self.bytes += answer.weight - self._weights[key]
            self._weights[key] = answer.weight
            self.sweep()

    def sweep(self) -> None:
        """Drop what is too old and what is too much."""
        while self._answers:
            key, oldest = next(iter(self._answers.items()))
            if self._is_young(oldest) and self.bytes <= self._most:
                break
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        self._answers.pop(key, None)
        self.bytes -= self._weights.pop(key, 0)

    def _is_young(self, answer: Answer) -> bool:
        return monotonic() - answer.made < self._seconds


class _Flight:
    """One answer in the making; who asks the same meanwhile waits for it."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.landed = asyncio.Event()
        self.answer: Answer | None = None


class ResponseCache:
    """``revision`` moves with each change by this process; ``notice`` moves it for those of others."""

    def __init__(self, app: ASGIApp, revision: Revision, notice: Callable[[], None]) -> None:
        self.app = app
        self.kept = Kept()
        self._revision = revision
        self._notice = notice
        self._noticed = 0.0
        self._noticing: asyncio.Event | None = None
        self._flights: dict[Hashable, _Flight] = {}
        self._sweeping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = scope.get("state", {}).get("user") is not None
        if scope["type"] != "http" or not known or scope["path"].startswith(APART):
            await self.app(scope, receive, send)
        elif scope["method"] == "GET":
            await self._get(scope, receive, send)
        elif scope["method"] in SAFE:
            await self.app(scope, receive, send)
        else:
            await self._change(scope, receive, send)

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        if monotonic() - self._noticed >= NOTICED_SECONDS:
            await self._look_around()
        asked = dict(scope["headers"])
        key = _key(scope)
        revision = self._revision.value
        answer = self.kept.get(key, revision)
        if answer is None:
            flight = self._flights.get(key)
            if flight is None or flight.revision != revision:
                answer = await self._lead(key, _Flight(revision), scope, receive, send)
            else:
                await flight.landed.wait()
                # A stream, or a request that broke: each on its own.
                answer = flight.answer or await self._make(revision, scope, receive, send)
        if answer is None:
            return
        scope["route"] = answer.route
        if answer.packed is None and answer.compressible and _wants_gzip(asked):
            await answer.pack()
            self.kept.weigh(key, answer)
        await answer.send(asked, send)

    async def _lead(
        self, key: Hashable, flight: _Flight, scope: Scope, receive: Receive, send: Send
    ) -> Answer | None:
        """Make the answer for all who ask; None when it went out as a stream."""
        self._flights[key] = flight

        def land() -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.landed.set()

        try:
            answer = await self._make(flight.revision, scope, receive, send, land)
            if answer is not None and answer.shared:
                if _wants_gzip(dict(scope["headers"])):
                    await answer.pack()
                flight.answer = answer
                self._keep(key, answer)
            return answer
        finally:
            land()

    async def _make(
        self,
        revision: int,
        scope: Scope,
        receive: Receive,
        send: Send,
        streams: Callable[[], None] | None = None,
    ) -> Answer | None:
        """Let the application answer; None when that was a stream, which has gone out, and ``streams`` told."""
        capture = _Capture(send, streams)
        await self.app(scope, receive, capture)
        start = capture.start
        if start is None:
            return None
        return Answer(start["status"], list(start["headers"]), capture.body, scope.get("route"), revision)

    async def _change(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever is told of a change sees it, wherever it was made."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._revision.bump()
            await send(message)

        await self.app(scope, receive, sending)

    def _keep(self, key: Hashable, answer: Answer) -> None:
        if not answer.kept or answer.revision != self._revision.value:
            return
        self.kept.put(key, answer)
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(KEPT_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """An idle service keeps nothing, and does nothing."""
        self.kept.sweep()
        self._sweeping = len(self.kept) > 0
        if self._sweeping:
            asyncio.get_running_loop().call_later(KEPT_SECONDS, self._sweep)

    async def _look_around(self) -> None:
        """Notice the changes of others: one look for all who ask at this moment."""
        if self._noticing is not None:
            await self._noticing.wait()
            return
        self._noticing = looked = asyncio.Event()
        try:
            await run_in_threadpool(self._notice)
        finally:
            self._noticed = monotonic()
            self._noticing = None
            looked.set()


class _Capture:
    """Holds a response that is sent in one piece; passes on what comes in several, from its first one."""

    def __init__(self, send: Send, streams: Callable[[], None] | None) -> None:
        self.start: Message | None = None
        self.body = b""
        self._send = send
        self._streams = streams
        self._passing = False

    async def __call__(self, message: Message) -> None:
        if self._passing:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self.start = message
            # Who knows the length has the whole; who does not, makes it bit by bit.
            if not any(name == b"content-length" for name, _ in message["headers"]):
                await self._pass()
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            self.body = message.get("body", b"")
        else:
            await self._pass()
            await self._send(message)

    async def _pass(self) -> None:
        self._passing = True
        if self._streams is not None:
            self._streams()
        start, self.start = self.start, None
        if start is not None:
            await self._send(start)


def _key(scope: Scope) -> Hashable:
    """What an answer depends on: the address, who asks with which rights, and what pages read of a request."""
    user = scope["state"]["user"]
    headers = tuple(pair for pair in scope["headers"] if pair[0] in READ or pair[0].startswith(b"hx-"))
    raw = scope.get("raw_path") or scope["path"]
    return (scope["scheme"], raw, scope["query_string"], user, scope.get("root_path"), headers)


def _wants_gzip(asked: dict[bytes, bytes]) -> bool:
    return accepts_gzip(asked.get(b"accept-encoding", b"").decode("latin-1"))


def _matches(known: bytes, etag: bytes) -> bool:
    """Weak comparison: https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match"""
    if known.strip() == b"*":
        return True
    opaque = etag.removeprefix(b"W/")
    return any(one.strip().removeprefix(b"W/") == opaque for one in known.split(b","))


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
