"""HTTP routes of the account: the connector's protocol, presigned files, and the REST API for tasks."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from embedded_account import loaded, parameters, rest, tokens, wire
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.objects.sessions import VERSION
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result
from embedded_account.security import logins
from embedded_account.session import Session
from embedded_account.statements import execute_all
from embedded_account.tickets import PREFIX

THREADS = 200
_STATUS_WAIT_SECONDS = 0.4
_IGNORED_AT_LOGIN = {"CLIENT_PREFETCH_THREADS"}

assert loaded


def success(data: object) -> JSONResponse:
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def failure(error: SnowflakeError, query_id: str | None = None) -> JSONResponse:
    """An error as clients expect it: HTTP 200, so that they do not retry."""
    data = {
        "internalError": False,
        "errorCode": error.wire_code,
        "sqlState": error.sqlstate,
        "queryId": query_id,
    }
    return JSONResponse({"data": data, "code": error.wire_code, "message": error.message, "success": False})


def account_of(request: Request) -> Account:
    account: Account = request.app.state.account
    return account


def session_of(request: Request) -> Session:
    """The session whose token the request carries (`Authorization: Snowflake Token="…"`).

    Raises:
        SnowflakeError: 390104, on which clients log in again.
    """
    header = request.headers.get("Authorization", "")
    token = header.partition('Token="')[2].rstrip('"')
    session = account_of(request).sessions.get(token)
    if session is None or session.closed:
        raise SnowflakeError(
            "Session no longer exists. New login required to access the service.", 390111, "08001"
        )
    return session


async def body_of(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    parsed = json.loads(body or b"{}")
    if not isinstance(parsed, dict):
        raise SnowflakeError("The request's body is not a JSON object.", 390101, "08001")
    return parsed


def _identifier(value: str | None) -> str | None:
    return Cursor(value).identifier() if value else None


# ----- sessions


async def login(request: Request) -> Response:
    data = (await body_of(request)).get("data", {})
    return await run_in_threadpool(_login, account_of(request), dict(request.query_params), data)


def _login(account: Account, query: dict[str, str], data: dict[str, Any]) -> Response:
    password = str(data.get("PASSWORD") or "")
    caller = None
    if password.startswith(PREFIX):
        caller = account.tickets.caller(password)
        if caller is None:
            raise SnowflakeError("Incorrect username or password was specified.", 390100, "08001")
    wanted_role = _identifier(query.get("roleName"))
    if caller is not None:
        session = Session(account, caller[0].role)
        session.inherit(caller[0])
    else:
        user = (str(data.get("LOGIN_NAME") or "") or account.user).upper()
        session = logins.open_session(account, user, wanted_role)
    session.client = (str(data.get("CLIENT_APP_ID", "")), str(data.get("CLIENT_APP_VERSION", "")))
    database = _identifier(query.get("databaseName"))
    schema = _identifier(query.get("schemaName"))
    if database and account.has_database(database):
        wanted = schema or "PUBLIC"
        session.use(database, wanted if account.has_schema(database, wanted) else None)
    warehouse = _identifier(query.get("warehouse"))
    if warehouse and account.get("WAREHOUSE", warehouse):
        session.warehouse = warehouse
    given = {
        name: value
        for name, value in (data.get("SESSION_PARAMETERS") or {}).items()
        if value is not None and name.upper() not in _IGNORED_AT_LOGIN
    }
    try:
        parameters.set_parameters(session, given)
    except SnowflakeError:
        session.close()
        raise
    told = [
        {"name": name, "value": parameters.parameter(session, name)}
        for name in {**parameters.PARAMETERS, **session.parameters}
    ]
    # Zero keeps arrays of values in the request instead of a file on a stage.
    told.append({"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0})
    return success(
        {
            "token": session.token,
            "masterToken": session.master_token,
            "validityInSeconds": 3600 * 24 * 30,
            "masterValidityInSeconds": 3600 * 24 * 30,
            "displayUserName": session.user,
            "serverVersion": VERSION,
            "firstLogin": False,
            "sessionId": session.id,
            "healthCheckInterval": 45,
            "parameters": told,
            "sessionInfo": {
                "databaseName": session.database,
                "schemaName": session.schema,
                "warehouseName": session.warehouse,
                "roleName": session.role,
            },
        }
    )


async def end_or_keep(request: Request) -> Response:
    if request.query_params.get("delete"):
        try:
            session = session_of(request)
        except SnowflakeError:
            return success(None)
        await run_in_threadpool(session.close)
        return success(None)
    session_of(request)
    return success(None)


async def renew_token(request: Request) -> Response:
    """The session lives on under the same token."""
    body = await body_of(request)
    session = account_of(request).sessions.get(str(body.get("oldSessionToken", "")))
    if session is None:
        raise SnowflakeError(
            "Session no longer exists. New login required to access the service.", 390111, "08001"
        )
    return success(
        {
            "sessionToken": session.token,
            "validityInSecondsST": 3600 * 24 * 30,
            "masterToken": session.master_token,
            "validityInSecondsMT": 3600 * 24 * 30,
            "sessionId": session.id,
        }
    )


# ----- queries


class AsyncQueries:
    """Statements that clients sent without waiting for them, by query id."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Session, Future[list[Result]]]] = {}
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="async-query")
        self._lock = threading.Lock()

    def start(self, session: Session, run: Callable[[], list[Result]], query_id: str) -> None:
        with self._lock:
            self._running[query_id] = (session, self._pool.submit(run))
            for old in [k for k, (_, f) in self._running.items() if f.done()][:-200]:
                del self._running[old]

    def find(self, query_id: str) -> tuple[Session, Future[list[Result]]] | None:
        return self._running.get(query_id)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


async def query(request: Request) -> Response:
    session = session_of(request)
    body = await body_of(request)
    return await run_in_threadpool(_query, request, session, body)


def _query(request: Request, session: Session, body: dict[str, Any]) -> Response:
    describe_only = bool(body.get("describeOnly"))
    query_id = str(uuid.uuid4())
    request_id = request.query_params.get("requestId", "")

    def run() -> list[Result]:
        text, batch = wire.inline_bindings(str(body["sqlText"]), body.get("bindings"))
        with session.lock, _parameters(session, body.get("parameters") or {}):
            session.request_id = request_id
            try:
                count = int(str(parameters.parameter(session, "MULTI_STATEMENT_COUNT")))
                return execute_all(
                    session, text, count, describe_only=describe_only, batch=batch, query_id=query_id
                )
            finally:
                session.request_id = ""

    if body.get("asyncExec"):
        request.app.state.async_queries.start(session, run, query_id)
        data = {
            "queryId": query_id,
            "getResultUrl": f"/queries/{query_id}/result",
            "queryAbortsAfterSecs": 300,
        }
        return JSONResponse({"data": data, "code": "333334", "message": None, "success": True})
    try:
        return success(wire.answers(session, run(), describe_only, query_id))
    except SnowflakeError as error:
        return failure(error, query_id)


@contextlib.contextmanager
def _parameters(session: Session, given: dict[str, Any]) -> Any:
    """Parameters of one statement, such as QUERY_TAG; what the statement itself sets, stays."""
    named = {name.upper(): value for name, value in given.items() if value is not None}
    before = dict(session.parameters)
    parameters.set_parameters(session, named)
    try:
        yield
    finally:
        after = {name: value for name, value in session.parameters.items() if name not in named}
        parameters.replace(session, after | {name: before[name] for name in named if name in before})


async def abort(request: Request) -> Response:
    session = session_of(request)
    wanted = str((await body_of(request)).get("requestId", ""))
    if wanted and session.request_id == wanted:
        session.abort()
    return success(None)


async def query_result(request: Request) -> Response:
    """The result of an asynchronous query, waited for."""
    session = session_of(request)
    query_id = request.path_params["query_id"]
    found = request.app.state.async_queries.find(query_id)
    if found is not None:
        results = await run_in_threadpool(found[1].result)
        return success(await run_in_threadpool(wire.answers, found[0], results, False, query_id))
    kept = session.results.get(query_id)
    if kept is None:
        raise SnowflakeError(f"Statement {query_id} not found", 709, "02000")
    return success(await run_in_threadpool(wire.answer, session, kept, False))


async def query_status(request: Request) -> Response:
    query_id = request.path_params["query_id"]
    session = session_of(request)
    found = request.app.state.async_queries.find(query_id)
    if found is not None:
        future = found[1]
        # Clients sleep half a second and more between looks: wait a little, so that a short query costs none.
        await run_in_threadpool(wait, [future], _STATUS_WAIT_SECONDS)
        if not future.done():
            status, code, message = "RUNNING", None, ""
        elif future.exception() is None:
            status, code, message = "SUCCESS", None, ""
        else:
            error = future.exception()
            status = "FAILED_WITH_ERROR"
            code, message = (
                (error.wire_code, error.message)
                if isinstance(error, SnowflakeError)
                else ("000603", str(error))
            )
    elif query_id in session.results:
        status, code, message = "SUCCESS", None, ""
    else:
        return success({"queries": []})
    return success(
        {"queries": [{"id": query_id, "status": status, "errorCode": code, "errorMessage": message}]}
    )


async def telemetry(request: Request) -> Response:
    """Nothing is collected."""
    return success("Log Received")


# ----- files


async def staged_file(request: Request) -> Response:
    account = account_of(request)
    path = request.path_params["path"]
    purpose = "PUT" if request.method == "PUT" else "GET"
    if not tokens.valid(account.token_secret, f"{purpose} {path}", request.query_params.get("token", "")):
        return JSONResponse(
            {"message": "The link is not valid or has expired.", "code": "390100"}, status_code=403
        )
    target = (account.data / path).resolve()
    if not target.is_relative_to(account.data.resolve()):
        return JSONResponse({"message": f"No such file: {path}", "code": "091016"}, status_code=404)
    if purpose == "PUT":
        return await _store(request, target)
    if not target.is_file():
        return JSONResponse({"message": f"No such file: {path}", "code": "091016"}, status_code=404)
    return FileResponse(target)


async def _store(request: Request, target: Path) -> Response:
    """Write beside the target and move it there, so that a file is on the stage whole or not at all."""
    partial = account_of(request).data / "temporary" / f"upload-{uuid.uuid4().hex}"
    try:
        async with await anyio.open_file(partial, "wb") as file:
            async for chunk in request.stream():
                await file.write(chunk)
        await run_in_threadpool(target.parent.mkdir, parents=True, exist_ok=True)
        await run_in_threadpool(partial.replace, target)
    finally:
        partial.unlink(missing_ok=True)
    return Response()


async def on_snowflake_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SnowflakeError)
    return failure(error)


async def on_bad_json(request: Request, error: Exception) -> Response:
    return failure(SnowflakeError(f"The request's body is not valid JSON: {error}", 390101, "08001"))


async def on_error(request: Request, error: Exception) -> Response:
    """A fault of this server: never HTTP 500, which the connector would repeat for minutes."""
    return failure(SnowflakeError(f"Internal error: {type(error).__name__}: {error}", 603, "XX000"))


class NeverServerError:
    """Turns whatever escapes the handlers into an answer."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Any) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if started:
                raise
            await (await on_error(Request(scope), error))(scope, receive, send)


def create_app(account: Account) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield
        app.state.async_queries.close()
        await run_in_threadpool(account.close)

    app = Starlette(
        lifespan=lifespan,
        middleware=[Middleware(rest.Segments)],
        exception_handlers={SnowflakeError: on_snowflake_error, json.JSONDecodeError: on_bad_json},
        routes=[
            Route("/session/v1/login-request", login, methods=["POST"]),
            Route("/session/token-request", renew_token, methods=["POST"]),
            Route("/session/heartbeat", end_or_keep, methods=["POST"]),
            Route("/session", end_or_keep, methods=["POST"]),
            Route("/queries/v1/query-request", query, methods=["POST"]),
            Route("/queries/v1/abort-request", abort, methods=["POST"]),
            Route("/queries/{query_id}/result", query_result, methods=["GET"]),
            Route("/monitoring/queries/{query_id}", query_status, methods=["GET"]),
            Route("/telemetry/send", telemetry, methods=["POST"]),
            Route("/telemetry/send/sessionless", telemetry, methods=["POST"]),
            Route("/files/{path:path}", staged_file, methods=["GET", "HEAD", "PUT"]),
            *rest.routes,
        ],
    )
    app.state.account = account
    app.state.async_queries = AsyncQueries()
    app.add_middleware(NeverServerError)
    return app
