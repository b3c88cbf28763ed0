"""Tickets with which a procedure's own session logs in: it inherits its caller's role, place and task.

A ticket ends with the call it was issued for.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any

from embedded_account.names import ObjectName

if TYPE_CHECKING:
    from embedded_account.session import Session

PREFIX = "ticket:"


class Tickets:
    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._issued: dict[str, tuple[Session, ObjectName]] = {}
        self._lock = threading.Lock()

    def issue(self, session: Session, procedure: ObjectName) -> str:
        ticket = PREFIX + secrets.token_urlsafe(24)
        with self._lock:
            self._issued[ticket] = (session, procedure)
        return ticket

    def withdraw(self, ticket: str) -> None:
        with self._lock:
            self._issued.pop(ticket, None)

    def caller(self, ticket: str) -> tuple[Session, ObjectName] | None:
        return self._issued.get(ticket)

    def connection(self, session: Session, ticket: str) -> dict[str, Any]:
        """Connector parameters of the procedure's session."""
        return {
            "host": self._host,
            "port": self._port,
            "protocol": "http",
            "account": "embedded",
            "user": session.user,
            "password": ticket,
            "role": session.role,
            "warehouse": session.warehouse,
            "database": session.database,
            "schema": session.schema,
        }
