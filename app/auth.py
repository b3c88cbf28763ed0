"""Who asks: the one administrator of a laptop, the account's user at its ingress, or a token's bearer."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request

from services.core.errors import Forbidden, Unauthenticated
from services.core.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = frozenset({"/healthz", "/readyz"})
INGRESS_HEADER = "Sf-Context-Current-User"
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


class Role(StrEnum):
    """What somebody may do; a viewer changes nothing."""

    VIEWER = "viewer"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody known."""

    name: str
    role: Role


def identify(request: Request, settings: Settings) -> User:
    """Who sent this request; Unauthenticated when nobody known did.

    In a container of the account the ingress has signed the user in and says who it is; the header is
    believed there only, as elsewhere anybody can send it.
    https://docs.snowflake.com/en/developer-guide/snowpark-container-services/service-network-communications
    """
    if settings.account.ingress:
        name = request.headers.get(INGRESS_HEADER)
        if not name:
            raise Unauthenticated(f"The ingress sent no {INGRESS_HEADER}", hint="Come through the ingress.")
        role = Role.ADMINISTRATOR if name.upper() in settings.web.administrators else Role.VIEWER
        return User(name, role)
    if settings.web.admin_token is not None:
        if not _bears(request.headers.get("Authorization", ""), settings.web.admin_token):
            raise Unauthenticated(
                "This service wants its token",
                hint="Send it as Authorization: Bearer …, or as the password in a browser.",
            )
        return User("administrator", Role.ADMINISTRATOR)
    return User("administrator", Role.ADMINISTRATOR)


def admit(request: Request, user: User) -> None:
    """Forbidden for a change that the user may not make, or that another site's page sent."""
    if request.method in SAFE:
        return
    if user.role is Role.VIEWER:
        raise Forbidden("A viewer changes nothing", hint="Ask an administrator of this service.")
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin.partition("://")[2] != request.headers.get("Host")
    if site not in (None, "same-origin", "none") or (site is None and foreign):
        raise Forbidden("This request was sent by another site's page", code="cross_site")


def check_host(request: Request, settings: Settings) -> None:
    """On loopback without a login, answer to loopback's names only: another name may be a rebound one."""
    if settings.account.ingress or settings.web.admin_token is not None:
        return
    host = request.headers.get("Host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in _LOCAL_HOSTS:
        raise Forbidden(
            f"This service does not answer to the name {name!r}",
            hint="Use http://127.0.0.1 or http://localhost with the port.",
            code="unknown_host",
        )


def _bears(header: str, token: str) -> bool:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(value.encode(), token.encode())
