"""Requests with values at and beyond the edges of their types, made from an OpenAPI document."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.addresses import path as address_of

TEXTS = ("", "x" * 300, "\x00", "' OR 1=1 --", "a/b", "🚚", "%", "\u202e", "None", "MOON", " ")
NUMBERS = ("", "0", "-1", "1", "9223372036854775807", "9223372036854775808", "1" + "0" * 400, "1e400", "NaN",
           "Infinity", "0x10", "1.5", "٣", "-9223372036854775809", "x")  # fmt: skip
DATES = ("", "0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "2025-02-30", "99999999999999", "1e20",
         "2025-06-30T00:00", "٢٠٢٥-٠١-٠١", "x")  # fmt: skip
HEADERS = ("", "0", "-1", "9223372036854775808", "9" * 400, "x", "1.5", "²", "%00")
JSON = (None, True, -1, 2**64, 1e308, "", "x" * 300, "\x00", "\ud800", [], {}, ["9999-12-31"] * 3,
        "9999-12-31", "0001-01-01", {"day": "x"}, [[[]]])  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    address: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def send(self, client: Any) -> Any:
        import json

        headers = {name: value.encode() for name, value in self.headers.items()}
        content = None
        if self.body is not None:
            content, headers["content-type"] = json.dumps(self.body), b"application/json"
        return client.request(self.method, self.address, params=self.params, headers=headers, content=content)


def requests(document: dict[str, Any], known: dict[str, str]) -> Iterator[Asked]:
    """Each parameter and each field of each route with each value of its type; the others as they should be.

    ``known`` are good values of parameters in paths.
    """
    for route, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _of_route(document, route, method.upper(), operation, known)


def _of_route(
    document: dict[str, Any], route: str, method: str, operation: dict[str, Any], known: dict[str, str]
) -> Iterator[Asked]:
    parameters = operation.get("parameters", [])
    names = [one["name"] for one in parameters if one["in"] == "path"]
    template = route
    for name in names:
        template = template.replace("{" + name + "}", "{}")

    def address(**changed: str) -> str:
        return address_of(template, *({**known, **changed}.get(name, "x") for name in names))

    for one in parameters:
        name, values = one["name"], _values(one["schema"])
        if one["in"] == "path":
            yield from (Asked(method, address(**{name: value})) for value in values if value)
        elif one["in"] == "query":
            yield from (Asked(method, address(), {name: value}) for value in values)
        else:
            yield from (Asked(method, address(), headers={name: value}) for value in HEADERS)
    body = operation.get("requestBody")
    if body is not None:
        schema = _resolved(document, body["content"]["application/json"]["schema"])
        yield from (Asked(method, address(), body=value) for value in JSON[1:])
        fields = schema.get("properties", {})
        required = dict.fromkeys(schema.get("required", ()), "x")
        for name, value in itertools.product(fields, JSON):
            yield Asked(method, address(), body={**required, name: value})


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            found: dict[str, Any] = document["components"]["schemas"][one["$ref"].rpartition("/")[2]]
            return found
    return schema


def _values(schema: dict[str, Any]) -> tuple[str, ...]:
    kinds = {(one.get("type"), one.get("format")) for one in (schema, *schema.get("anyOf", ()))}
    if ("integer", None) in kinds:
        return NUMBERS
    return DATES if ("string", "date") in kinds else TEXTS
