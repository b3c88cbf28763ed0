"""What proxies in front say of a request: believed of those that are configured, and of nobody else.

``Forwarded`` (https://www.rfc-editor.org/rfc/rfc7239) goes before the X-Forwarded-For, -Proto and -Host that most
proxies send. Each proxy adds its word at the right, so a list is read from there, for as long as the one who
speaks is known.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

EVERYBODY = "*"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\Z")
_PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*(?:;|\Z)')
# Commas outside of quotes.
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*\Z)')


class Proxies:
    """Those who are believed: addresses and networks, or everybody."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._everybody = EVERYBODY in trusted
        self._networks = [ipaddress.ip_network(one) for one in trusted if one != EVERYBODY]

    def believe(self, scope: Scope) -> None:
        """Write scheme, host and client into the request as its first client meant them."""
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._knows(peer):
            return
        headers = Headers(scope=scope)
        hops = _forwarded(headers) or _x_forwarded(headers)
        said: dict[str, str] = {}
        for hop in reversed(hops):
            said = hop
            if not self._knows(_address(hop.get("for", ""))):
                break
        if said.get("proto", "").lower() in ("http", "https"):
            scope["scheme"] = said["proto"].lower()
        if _HOST.match(said.get("host", "")):
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", said["host"].encode("ascii")), *others]
        if address := _address(said.get("for", "")):
            scope["client"] = (address, 0)

    def _knows(self, address: str) -> bool:
        if self._everybody:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def _forwarded(headers: Headers) -> list[dict[str, str]]:
    found = []
    for element in _COMMA.split(",".join(headers.getlist("forwarded"))):
        pairs = _PAIR.findall(element)
        if pairs:
            found.append({name.lower(): _unquoted(value) for name, value in pairs})
    return found


def _x_forwarded(headers: Headers) -> list[dict[str, str]]:
    """The lists side by side from the right; a list that is shorter says the same of all before it."""
    lists = {
        name: [part.strip() for part in ",".join(headers.getlist(f"x-forwarded-{name}")).split(",")]
        for name in ("for", "proto", "host")
    }
    count = max(len(values) for values in lists.values())
    return [
        {name: values[max(len(values) - count + at, 0)] for name, values in lists.items()}
        for at in range(count)
    ]


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _address(node: str) -> str:
    """The IP address of ``192.0.2.1``, ``192.0.2.1:80`` or ``[2001:db8::1]:80``; empty for any other name."""
    host = node.partition("]")[0].lstrip("[") if node.startswith("[") else node
    for text in (host, host.rpartition(":")[0]):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            continue
    return ""
