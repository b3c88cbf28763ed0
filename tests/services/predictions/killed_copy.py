"""A program that copies a prediction and kills itself at a write; test_copying.py runs it.

Arguments: the history's path, the connection's parameters and the contract as JSON, and at which write.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import snowflake.connector

from services.core.hub import load_declaration
from services.history import History
from services.history.store import Cursor
from services.predictions import copying, fetching
from services.predictions.relation import Relation
from services.snowflake.scope import Scope
from spoke_kit.manifest import Prediction


class Killed(History):
    """Ends the process before the given write is committed."""

    left = 0

    @contextmanager
    def write(self, *, runs: bool = True) -> Iterator[Cursor]:
        with super().write(runs=runs) as db:
            yield db
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(path: str, parameters: str, contract: str, write: str) -> None:
    fetching.FETCHED = copying._WRITTEN = 3
    history = Killed(Path(path))
    history.open()
    history.left = int(write)
    relation = Relation(
        Scope(load_declaration(), "shop", "DEV"), "ORDERS", Prediction.model_validate_json(contract)
    )
    with snowflake.connector.connect(**json.loads(parameters)) as connection:
        copying.Copier(history).copy(connection, relation)


if __name__ == "__main__":
    main(*sys.argv[1:])
