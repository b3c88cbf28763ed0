"""Starts work in a Spokehub that runs elsewhere, by its REST API, and tells its log until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from services.core.errors import SpokehubError, Unavailable

_PAUSE_SECONDS = 0.5
_FINAL = frozenset({"succeeded", "failed", "cancelled"})


class Service:
    """One service. Raises Unavailable when it does not answer, and what it refuses with as it says it."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def follow(self, path: str, body: dict[str, Any], tell: Callable[[str], object]) -> bool:
        """POST, then each log line of the operation as it comes; whether it succeeded."""
        operation = self._ask("POST", path, json=body)
        address = f"/api/v1/operations/{operation['id']}"
        tell(f"{operation['title']}: {self.url}/operations/{operation['id']}")
        after = 0
        while True:
            # The state first: what was logged before the end is then there to read.
            state = self._ask("GET", address)["state"]
            while lines := self._ask("GET", f"{address}/log", params={"after": after})["items"]:
                for line in lines:
                    tell(f"{line['at'][11:19]}  {line['message']}")
                    after = line["seq"]
            if state in _FINAL:
                tell(state)
                return bool(state == "succeeded")
            time.sleep(_PAUSE_SECONDS)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **more)
        except httpx.TransportError:
            raise Unavailable(
                f"No Spokehub answers at {self.url}",
                hint="Start it with `spokehub serve`, or name another with --url.",
            ) from None
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise Unavailable(f"What answers at {self.url} is no Spokehub") from None
        if answer.is_error:
            raise SpokehubError(
                str(found.get("detail") or found.get("title") or answer.reason_phrase), hint=found.get("hint")
            )
        return found
