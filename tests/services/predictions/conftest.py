"""A schema in an embedded account, relations over its tables, copies of them in a history, and what is counted."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from services.core.errors import Conflict
from services.core.hub import load_declaration
from services.core.settings import AccountSettings
from services.history import History
from services.predictions.copied import Copies, Copy
from services.predictions.copying import Copier
from services.predictions.relation import Relation
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.scope import Scope
from spoke_kit.manifest import Prediction

_NUMBERS = itertools.count(1)


class Counting(History):
    """A history, and how many queries it was asked, and rows they took."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.statements: list[str] = []
        self.fetched = 0

    def rows(self, text: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        rows = super().rows(text, values)
        self.statements.append(text)
        self.fetched += len(rows)
        return rows


@pytest.fixture(scope="session")
def account_source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSource]:
    folder = tmp_path_factory.mktemp("predictions")
    account = EmbeddedAccount(folder / "account", folder / "logs")
    account.start()
    hub = load_declaration()
    source = ConnectionSource(AccountSettings(), account, hub)
    source.query(f"CREATE WAREHOUSE {hub.warehouse.name}")
    # A session gets its warehouse when it begins.
    source.renew()
    source.query("CREATE DATABASE SPOKEHUB")
    source.query("CREATE SCHEMA SPOKEHUB.SHARED_DATA")
    source.query("CREATE SCHEMA SPOKEHUB.SHOP_DEV")
    yield source
    source.close()
    account.stop()


@pytest.fixture(scope="session")
def one_history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    history = Counting(tmp_path_factory.mktemp("history") / "history.duckdb")
    history.open()
    yield history
    history.close()


@pytest.fixture
def history(one_history: Counting) -> Counting:
    one_history.statements.clear()
    one_history.fetched = 0
    return one_history


@pytest.fixture
def copied(history: Counting, account_source: ConnectionSource) -> Callable[[Relation], Copy]:
    """A relation's copy, as the account has it now; Conflict where the contract names something in vain."""
    copier, copies = Copier(history), Copies(history)

    def copy(relation: Relation) -> Copy:
        with account_source.reading() as connection:
            told = copier.copy(connection, relation)
        found = copies.of(relation)
        if told.problem is not None:
            raise Conflict(
                told.problem.message,
                hint=told.problem.hint,
                code=told.problem.code,
                detail=told.problem.detail,
            )
        assert isinstance(found, Copy)
        history.statements.clear()
        history.fetched = 0
        return found

    return copy


@pytest.fixture
def run(account_source: ConnectionSource) -> Callable[..., list[dict[str, Any]]]:
    return account_source.query


@pytest.fixture
def scope() -> Scope:
    return Scope(load_declaration(), "shop", "DEV")


@pytest.fixture
def table() -> str:
    """A name for a table of the test's own."""
    return f"SCORES {next(_NUMBERS)}"


Made = Callable[..., Relation]


@pytest.fixture
def relation(scope: Scope, table: str) -> Made:
    """A relation over the test's table; roles by keyword, columns named as roles by default."""

    def make(**roles: Any) -> Relation:
        contract = {
            "title": "Orders",
            "kind": "regression",
            "source": table,
            "key": ["id"],
            "time": "day",
            "predicted": "predicted",
            "actual": "actual",
            "unit": {"name": "orders"},
            **roles,
        }
        return Relation(scope, "ORDERS", Prediction.model_validate(contract))

    return make
