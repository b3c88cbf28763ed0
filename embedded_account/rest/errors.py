"""Errors of the REST API: the status that snowflake.core tells apart, and its body."""

from __future__ import annotations

import uuid

from starlette.responses import JSONResponse

from embedded_account.errors import SnowflakeError

_STATUS = {2003: 404, 2043: 404, 2002: 409, 390111: 401, 390104: 401}


def problem(message: str, code: str, status: int) -> JSONResponse:
    body = {"message": message, "code": code, "error_code": code, "request_id": str(uuid.uuid4())}
    return JSONResponse(body, status)


def answer(error: SnowflakeError) -> JSONResponse:
    return problem(error.message, error.wire_code, _STATUS.get(error.code, 400))
