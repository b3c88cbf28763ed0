"""Two commands for the tutorials: ``get PATH [FIELD …]`` shows what REST answers, ``post PATH [JSON]`` starts work.

What ``post`` starts it follows to its end, and ends with 1 unless the work succeeded. SPOKEHUB_URL is where the
service listens, http://127.0.0.1:8000 by default; a PATH begins behind /api/v1.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import httpx

USAGE = "usage: rest get PATH [FIELD ...] | rest post PATH [JSON]"


def get(client: httpx.Client, path: str, *fields: str) -> None:
    """Print the answer as JSON; with fields (``metrics.mae`` reaches inside) one line of them for each item."""
    answer = checked(client.get(path)).json()
    if not fields:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    for item in answer.get("items", [answer]):
        print("  ".join(shown(reach(item, field)) for field in fields))


def post(client: httpx.Client, path: str, body: str = "{}") -> None:
    """Start work and print its log as it goes on, then how it ended."""
    sent = checked(client.post(path, content=body, headers={"Content-Type": "application/json"}))
    operation = sent.json()
    with client.stream("GET", address(operation["links"]["events"]), timeout=600) as events:
        for line in events.iter_lines():
            said = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if "message" in said:
                print(said["message"], flush=True)
    ended = checked(client.get(address(operation["links"]["self"]))).json()
    if ended["state"] != "succeeded":
        error = ended["error"] or {}
        sys.exit(f"{ended['state']}: {error.get('message', '')} {error.get('hint') or ''}")


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, or the end with what it says is wrong."""
    if answer.is_error:
        problem = answer.json()
        sys.exit(f"{answer.status_code} {problem['code']}: {problem['detail']} {problem['hint'] or ''}")
    return answer


def address(link: str) -> str:
    """An address that the service named, without what every PATH begins behind."""
    return link.removeprefix("/api/v1")


def reach(item: Any, field: str) -> Any:
    """The value of a field, a dot leading into what it holds."""
    for part in field.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def shown(value: Any) -> str:
    """A value on its line: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def main(arguments: list[str]) -> None:
    """Do what the arguments say."""
    url = os.environ.get("SPOKEHUB_URL", "http://127.0.0.1:8000")
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as client:
        match arguments:
            case ["get", path, *fields]:
                get(client, path, *fields)
            case ["post", path, *body] if len(body) < 2:
                post(client, path, *body)
            case _:
                sys.exit(USAGE)


if __name__ == "__main__":
    main(sys.argv[1:])
