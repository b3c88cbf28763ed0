"""An account that is slow, fails or goes away: an HTTP proxy that stands before one and does so when told.

    with FaultProxy(lambda: (host, port)) as proxy:
        connection = snowflake.connector.connect(**{**parameters, "port": proxy.port})
        with proxy.slow(5.0):
            ...

`before(embedded)` puts it between a service and the embedded account that it started. Files of stages are at addresses
that the account gives itself, and pass it by.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.snowflake.embedded import EmbeddedAccount

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_QUERY = "/queries/v1/query-request"
_SECONDS = 120.0


@dataclass(frozen=True)
class Fault:
    """What becomes of a request: it waits, is answered with a status, or gets no answer, executed or not.

    ``cut`` sends half of the answer and closes the connection. Of ``every`` n requests one has the fault.
    """

    delay: float = 0.0
    status: int | None = None
    drop: bool = False
    lose_answer: bool = False
    cut: bool = False
    every: int = 1


class FaultProxy:
    """Forwards to `target()`, (host, port), asked at each request, as an account that restarts may have another.

    `statements` are the texts that clients sent, also those that were not forwarded, and `requests` the number of all
    requests.
    """

    def __init__(self, target: Callable[[], tuple[str, int]]) -> None:
        self.target = target
        self.fault = Fault()
        self.requests = 0
        self.statements: list[str] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    # ----- faults, each for the length of a block

    @contextlib.contextmanager
    def having(self, fault: Fault) -> Iterator[None]:
        before, self.fault = self.fault, fault
        try:
            yield
        finally:
            self.fault = before

    def slow(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Each answer comes so much later. What waits when the block ends waits on."""
        return self.having(Fault(delay=seconds))

    def failing(self, status: int = 503) -> contextlib.AbstractContextManager[None]:
        """Each request is answered with this status, and none reaches the account."""
        return self.having(Fault(status=status))

    def failing_half(self, status: int = 503) -> contextlib.AbstractContextManager[None]:
        """Every other request is answered with this status."""
        return self.having(Fault(status=status, every=2))

    def cutting(self) -> contextlib.AbstractContextManager[None]:
        """Each request is executed, and the connection closed in the middle of the answer."""
        return self.having(Fault(cut=True))

    def away(self) -> contextlib.AbstractContextManager[None]:
        """Each connection is closed without an answer, and no request reaches the account."""
        return self.having(Fault(drop=True))

    def losing_answers(self) -> contextlib.AbstractContextManager[None]:
        """Each request is executed, and its answer lost."""
        return self.having(Fault(lose_answer=True))

    @contextlib.contextmanager
    def before(self, embedded: EmbeddedAccount) -> Iterator[None]:
        """Whoever asks the launcher where its account is gets the proxy."""
        found = embedded.address
        embedded.address = lambda *a, **k: replace(found(*a, **k), port=self.port)  # type: ignore[method-assign]
        try:
            yield
        finally:
            del embedded.address

    def note(self, path: str, body: bytes, zipped: bool) -> None:
        with self._lock:
            self.requests += 1
            if path.startswith(_QUERY):
                text = json.loads(gzip.decompress(body) if zipped else body)
                self.statements.append(str(text.get("sqlText", "")))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        pass

    def _forward(self) -> None:
        proxy, fault = self.server.proxy, self.server.proxy.fault
        if fault.every > 1 and proxy.requests % fault.every:
            fault = Fault()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy.note(self.path, body, self.headers.get("Content-Encoding") == "gzip")
        if fault.drop or proxy.closing.wait(fault.delay) or proxy.closing.is_set():
            self.close_connection = True
            return
        if fault.status is not None:
            self._answer(fault.status, [], b"")
            return
        answer = self._ask(body)
        if answer is None or fault.lose_answer:
            self.close_connection = True
            return
        status, headers, text = answer
        self._answer(status, headers, text, len(text) // 2 if fault.cut else None)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The account's answer; None when it gives none."""
        host, port = self.server.proxy.target()
        connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        try:
            connection.request(self.command, self.path, body, {**headers, "Host": f"{host}:{port}"})
            response = connection.getresponse()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
            return response.status, kept, response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, only: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:only])
        if only is not None:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _forward
