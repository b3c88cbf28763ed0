"""RUNTIME_VERSION: workers are forked from one interpreter, that of the server."""

from __future__ import annotations

import sys

_OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
# What the account's own examples are written for: it runs, from its source, on whatever runs the server.
_OLDEST = "3.11"
# What a routine may declare; the first is the default.
DECLARABLE = (_OWN,) if _OWN == _OLDEST else (_OWN, _OLDEST)
