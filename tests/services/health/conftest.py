"""A history in which runs are put, and the service that tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.revision import Revision
from services.db.engine import Database
from services.db.records import Record
from services.history import History
from tests.services.health.filling import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    revision = Revision()
    history = History(tmp_path / "history.duckdb", revision)
    history.open()
    database = Database(f"sqlite:///{tmp_path / 'catalogue.sqlite'}", revision=revision)
    Record.metadata.create_all(database.engine)
    yield Place(history, database)
    history.close()
    database.close()
