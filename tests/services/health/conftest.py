"""A history in which runs are put, and the service that tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.core.revision import Revision
from services.db.engine import Database
from services.db.records import Record
from services.history import History
from tests.services.health.filling import Place


@contextmanager
def opened(folder: Path, *, indexed: bool = True) -> Iterator[Place]:
    """An empty place whose files are in this folder."""
    revision = Revision()
    history = History(folder / "history.duckdb", revision, indexed=indexed)
    history.open()
    database = Database(f"sqlite:///{folder / 'catalogue.sqlite'}", revision=revision)
    Record.metadata.create_all(database.engine)
    yield Place(history, database)
    history.close()
    database.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        yield place
