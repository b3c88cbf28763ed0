"""A schema in an embedded account, relations over its tables, and a source that counts what it is asked."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from services.core.hub import load_declaration
from services.core.settings import AccountSettings
from services.predictions.relation import Relation
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.scope import Scope
from spoke_kit.manifest import Prediction

_NUMBERS = itertools.count(1)


class Counting:
    """Answers of an account, and how many statements and rows they took."""

    def __init__(self, source: ConnectionSource) -> None:
        self.source = source
        self.statements: list[str] = []
        self.fetched = 0

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        rows = self.source.query(text, values)
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


@pytest.fixture
def answers(account_source: ConnectionSource) -> Counting:
    return Counting(account_source)


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
