"""Messages between the account, the fork server and its workers.

Each connection is a socket pair handed over as a file descriptor: there is no address that user code could
connect to. Packets keep their borders, so a worker killed in the middle of a message cannot leave half of one
behind.
"""

from __future__ import annotations

import json
import socket
from typing import Any

MAX_PACKET = 64 * 1024


class ChannelClosedError(Exception):
    """The other side is gone."""


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: dict[str, Any], *fds: int) -> None:
    """Send one message, with file descriptors. Raises ChannelClosedError when nobody can read it."""
    data = json.dumps(message).encode()
    if len(data) > MAX_PACKET:
        raise ValueError(f"a message of {len(data)} bytes is larger than {MAX_PACKET}")
    try:
        if fds:
            socket.send_fds(sock, [data], list(fds))
        else:
            sock.send(data)
    except (BrokenPipeError, ConnectionResetError, ConnectionRefusedError) as error:
        raise ChannelClosedError(str(error)) from error


def receive(sock: socket.socket) -> dict[str, Any]:
    """Take one message. Raises ChannelClosedError at the end, TimeoutError by the socket's timeout."""
    return receive_with_fds(sock, 0)[0]


def receive_with_fds(sock: socket.socket, max_fds: int) -> tuple[dict[str, Any], list[int]]:
    try:
        data, fds, _, _ = socket.recv_fds(sock, MAX_PACKET, max_fds)
    except ConnectionResetError as error:
        raise ChannelClosedError(str(error)) from error
    if not data:
        raise ChannelClosedError("end of the connection")
    try:
        message = json.loads(data)
    except ValueError as error:
        raise ChannelClosedError("not a message") from error
    if not isinstance(message, dict):
        raise ChannelClosedError("not a message")
    return message, fds
