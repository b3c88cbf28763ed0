"""One account in this process: functions need no client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from embedded_account import loaded, statements
from embedded_account.account import Account
from embedded_account.session import Session

assert loaded


class Sql:
    """Runs statements in one session; rows as tuples."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, text: str) -> list[tuple[Any, ...]]:
        return statements.execute(self.session, text).rows()

    def row(self, expressions: str, source: str = "") -> tuple[Any, ...]:
        (row,) = self(f"SELECT {expressions} {source}")
        return row

    def types(self, text: str) -> list[str]:
        return [column.type for column in statements.execute(self.session, text).columns]


@pytest.fixture(scope="package")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    account = Account(tmp_path_factory.mktemp("functions") / "account")
    run = Sql(Session(account))
    run("CREATE DATABASE D")
    run("CREATE WAREHOUSE W")
    run(
        "CREATE TABLE T AS SELECT 3 AS I, 0 AS Z, 1.5::FLOAT AS F, '12' AS S, 'abc' AS V, '2024-05-06' AS VD, "
        "'2024-05-06'::DATE AS D, '2024-05-06 07:08:09.123'::TIMESTAMP_NTZ AS TS, "
        'PARSE_JSON(\'{"a": "x", "b": [1, 2, {"c": 1.5}], "k": 5, "n": null}\') AS J'
    )
    yield run
    account.close()
