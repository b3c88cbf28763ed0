"""Signed tokens in presigned URLs: who holds one may read that one file until it expires."""

from __future__ import annotations

import hashlib
import hmac
import time


def sign(secret: bytes, path: str, seconds: int) -> str:
    expires = int(time.time()) + seconds
    return f"{expires}.{_digest(secret, path, expires)}"


def valid(secret: bytes, path: str, token: str) -> bool:
    expires, _, digest = token.partition(".")
    if not expires.isdigit() or int(expires) < time.time():
        return False
    return hmac.compare_digest(digest, _digest(secret, path, int(expires)))


def _digest(secret: bytes, path: str, expires: int) -> str:
    return hmac.new(secret, f"{expires}:{path}".encode(), hashlib.sha256).hexdigest()
