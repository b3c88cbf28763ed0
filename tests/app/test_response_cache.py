"""Answers are made once while nothing changes, anew after every change, and never for somebody else."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app import response_cache
from app.auth import Role, User
from app.response_cache import Kept, ResponseCache
from services.core.revision import Revision
from services.core.settings import Settings
from services.db.engine import Database
from services.db.records import EnvironmentRecord, SpokeRecord
from tests.app.conftest import Gate, TestClient, served
from tests.app.test_api import OPERATIONS, finished, start

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ADA = User("ada", Role.ADMINISTRATOR)
PAGE = "<p>" + "word " * 400
Handler = Callable[[Request], Awaitable[Response]]


class World:
    """A cache over one handler that counts how often it is asked."""

    def __init__(self, handler: Handler | None = None) -> None:
        self.asked: list[str] = []
        self.noticed = 0
        self.handler = handler or self.page
        self.revision = Revision()
        self.cache = ResponseCache(self.app, self.revision, self.notice)

    def notice(self) -> None:
        self.noticed += 1

    async def page(self, request: Request) -> Response:
        return PlainTextResponse(f"{len(self.asked)} {PAGE}", media_type="text/html")

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(request.url.path)
        response = await self.handler(request)
        await response(scope, receive, send)

    async def ask(
        self, address: str = "/", user: User | None = ADA, method: str = "GET", **headers: str
    ) -> Response:
        """The answer, put together from the messages."""
        path, _, query = address.partition("?")
        sent = {"host": "here", **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope: Scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "scheme": "http",
            "query_string": query.encode(), "root_path": "", "server": ("here", 80), "state": {"user": user},
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }  # fmt: skip
        messages: list[Any] = []

        async def receive() -> Any:
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            messages.append(message)

        await self.cache(scope, receive, send)
        start, *parts = messages
        answer = Response(status_code=start["status"])
        answer.raw_headers = list(start["headers"])
        answer.body = b"".join(part.get("body", b"") for part in parts)
        return answer


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_an_answer_is_kept_while_nothing_changes() -> None:
    async def work() -> None:
        world = World()
        first, second = await world.ask("/a?b=1"), await world.ask("/a?b=1")
        assert (first.body, first.raw_headers) == (second.body, second.raw_headers)
        await world.ask("/a?b=2")
        assert world.asked == ["/a", "/a"]
        world.revision.bump()
        third = await world.ask("/a?b=1")
        assert third.body.startswith(b"3 ")
        assert third.headers["etag"] != first.headers["etag"]

    run(work())


def test_a_kept_answer_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(response_cache, "monotonic", lambda: now[0])

    async def work() -> None:
        world = World()
        await world.ask()
        now[0] += 1.9
        await world.ask()
        assert len(world.asked) == 1
        now[0] += 0.2
        await world.ask()
        assert len(world.asked) == 2
        # Who looks around does so at most twice a second.
        assert world.noticed == 2

    run(work())


@pytest.mark.parametrize(
    "other",
    [
        {"user": User("eve", Role.ADMINISTRATOR)},
        {"user": User("ada", Role.VIEWER)},
        {"accept": "application/json"},
        {"host": "there"},
        {"hx_request": "true"},
        {"hx_request": "true", "hx_target": "div#content"},
    ],
)
def test_who_asks_and_how_is_told_apart(other: dict[str, Any]) -> None:
    async def work() -> None:
        world = World()
        await world.ask()
        await world.ask(**other)
        assert len(world.asked) == 2

    run(work())


def test_who_is_unknown_is_answered_anew() -> None:
    async def work() -> None:
        world = World()
        await world.ask(user=None)
        await world.ask(user=None)
        assert len(world.asked) == 2

    run(work())


@pytest.mark.parametrize("status", [200, 404, 503])
def test_who_asks_at_once_waits_for_one_answer(status: int) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.05)
        return JSONResponse({"a": 1}, status)

    async def work() -> None:
        world = World(slow)
        answers = await asyncio.gather(*(world.ask() for _ in range(8)))
        assert {(one.status_code, one.body) for one in answers} == {(status, b'{"a":1}')}
        assert len(world.asked) == 1
        await world.ask()
        # A fault of a moment ago is no answer for the next one.
        assert len(world.asked) == (2 if status >= 500 else 1)

    run(work())


def test_nobody_waits_for_what_began_before_a_change() -> None:
    async def work() -> None:
        begun = asyncio.Event()

        async def slow(request: Request) -> Response:
            number = len(world.asked)
            if number == 1:
                begun.set()
                await asyncio.sleep(0.2)
            return PlainTextResponse(str(number))

        world = World(slow)
        early = asyncio.create_task(world.ask())
        await begun.wait()
        world.revision.bump()
        assert (await world.ask()).body == b"2"
        assert (await early).body == b"1"
        # And what ended late, of before, is not kept over it.
        assert (await world.ask()).body == b"2"

    run(work())


def test_a_request_that_breaks_breaks_alone() -> None:
    async def broken(request: Request) -> Response:
        await asyncio.sleep(0.02)
        if len(world.asked) == 1:
            raise KeyError("broken")
        return PlainTextResponse("whole")

    world = World(broken)

    async def work() -> None:
        found = await asyncio.gather(*(world.ask() for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == [KeyError, Response, Response]
        assert (await world.ask()).body == b"whole"

    run(work())


def test_who_is_cut_off_holds_up_nobody() -> None:
    async def work() -> None:
        begun = asyncio.Event()

        async def slow(request: Request) -> Response:
            begun.set()
            if len(world.asked) == 1:
                await asyncio.sleep(60)
            return PlainTextResponse("there")

        world = World(slow)
        first = asyncio.create_task(world.ask())
        await begun.wait()
        second = asyncio.create_task(world.ask())
        await asyncio.sleep(0)
        first.cancel()
        assert (await asyncio.wait_for(second, 5)).body == b"there"

    run(work())


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_who_changed_something_sees_it(method: str) -> None:
    async def work() -> None:
        world = World()
        await world.ask()
        await world.ask(method=method)
        await world.ask()
        assert len(world.asked) == 3

    run(work())


def test_a_stream_is_of_each_one_alone() -> None:
    async def work() -> None:
        async def lines() -> Any:
            for number in range(3):
                yield f"data: {number}\n\n"
                await asyncio.sleep(0.01)

        async def stream(request: Request) -> Response:
            return StreamingResponse(lines(), media_type="text/event-stream")

        world = World(stream)
        answers = await asyncio.gather(*(world.ask(accept_encoding="gzip") for _ in range(3)))
        assert {one.body for one in answers} == {b"data: 0\n\ndata: 1\n\ndata: 2\n\n"}
        assert len(world.asked) == 3
        assert all("content-encoding" not in one.headers for one in answers)
        assert len(world.cache.kept) == 0

    run(work())


def test_a_file_to_save_is_made_for_each() -> None:
    async def download(request: Request) -> Response:
        return PlainTextResponse(PAGE, headers={"Content-Disposition": "attachment"})

    async def work() -> None:
        world = World(download)
        first, _ = await asyncio.gather(world.ask(accept_encoding="gzip"), world.ask())
        assert len(world.asked) == 2
        assert gzip.decompress(first.body) == PAGE.encode()

    run(work())


def test_a_body_goes_out_as_it_is_wanted() -> None:
    async def work() -> None:
        world = World()
        plain = await world.ask()
        packed = await world.ask(accept_encoding="br, gzip")
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body)
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        assert plain.headers["etag"] == packed.headers["etag"]
        assert plain.headers["cache-control"] == "private, no-cache"
        assert len(world.asked) == 1

    run(work())


def test_who_has_it_is_told_so() -> None:
    async def work() -> None:
        world = World()
        first = await world.ask()
        etag = first.headers["etag"]
        for known in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
            again = await world.ask(if_none_match=known)
            assert (again.status_code, again.body) == (304, b"")
            assert again.headers["etag"] == etag
            assert {"content-length", "content-type"}.isdisjoint(again.headers)
        assert (await world.ask(if_none_match='"other"')).body == first.body
        # A part of a page is not worth the trouble: the whole is a right answer.
        assert (await world.ask(range="bytes=0-3")).body == first.body

    run(work())


def test_only_so_much_is_kept() -> None:
    def answer(size: int) -> response_cache.Answer:
        return response_cache.Answer(200, [(b"content-type", b"text/html")], b"x" * size, None, 0)

    kept = Kept(most=20_000)
    for number in range(20):
        kept.put(number, answer(3000))
        assert kept.bytes <= 20_000
    found = [number for number in range(20) if kept.get(number, 0)]
    assert found == [16, 17, 18, 19]
    last = kept.get(19, 0)
    assert last is not None
    asyncio.run(last.pack())
    kept.weigh(19, last)
    assert kept.bytes == 4 * (3000 + 1024) + len(last.packed or b"")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9000)), max_size=40))
def test_the_bytes_are_counted_right(puts: list[tuple[int, int]]) -> None:
    kept, model = Kept(most=20_000), dict[int, int]()
    for key, size in puts:
        kept.put(key, response_cache.Answer(200, [], b"x" * size, None, 0))
        model.pop(key, None)
        model[key] = size + 1024
        while sum(model.values()) > 20_000:
            del model[next(iter(model))]
        assert kept.bytes == sum(model.values())
        assert {key for key in range(6) if kept.get(key, 0)} == set(model)


def test_the_service_shows_what_was_just_started(client: TestClient, gate: Gate) -> None:
    gate.open.clear()
    for number in range(3):
        assert len(client.get(OPERATIONS).json()["items"]) == number
        assert client.get("/operations").text.count("Work") >= number
        start(client, number=number)
    gate.open.set()
    for item in client.get(OPERATIONS).json()["items"]:
        finished(client, f"{OPERATIONS}/{item['id']}")


def test_another_process_is_noticed_within_a_second(
    settings: Settings, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing grows old: what is shown was noticed.
    monkeypatch.setattr(response_cache, "KEPT_SECONDS", 3600.0)
    monkeypatch.setattr(Kept, "_is_young", lambda self, answer: True)
    with served(settings, gate) as client:
        assert client.get("/api/v1/spokes").json()["items"] == []
        other = Database(settings.storage.database_url)
        with other.write() as db:
            db.add(SpokeRecord(name="tides", title="Tides", owner="ada", created_at=NOW, updated_at=NOW))
            db.flush()
            db.add(
                EnvironmentRecord(
                    spoke="tides", environment="DEV", state="active", onboarded_at=NOW, updated_at=NOW
                )
            )
        other.close()
        for _ in range(100):
            if found := client.get("/api/v1/spokes").json()["items"]:
                break
            time.sleep(0.05)
        assert [item["name"] for item in found] == ["tides"]


def test_a_page_and_its_parts_are_told_apart(common: TestClient) -> None:
    page = common.get("/operations", headers={"accept": "text/html"})
    part = common.get(
        "/operations", headers={"accept": "text/html", "HX-Request": "true", "HX-Target": "main#content"}
    )
    assert page.headers["vary"] == "HX-Request, HX-Target, Accept-Encoding"
    assert page.headers["content-encoding"] == "gzip"
    assert page.headers["cache-control"] == "no-store"
    assert len(part.text) < len(page.text)
    again = common.get("/operations", headers={"accept": "text/html", "If-None-Match": page.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == page.headers["content-security-policy"]
