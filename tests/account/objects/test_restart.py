"""Killed between any two statements, the account has what was committed, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError


def test_what_was_done_is_there_once(own_server: Any, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("1\n2\n")
    before = [
        "CREATE WAREHOUSE W",
        "CREATE DATABASE D",
        "CREATE TABLE N (ID INT AUTOINCREMENT START 5 INCREMENT 5, A INT DEFAULT 1, UNIQUE (A)) COMMENT = 'n'",
        "INSERT INTO N (A) VALUES (1), (2)",
        "ALTER TABLE N ADD COLUMN B INT NOT NULL DEFAULT 3",
        "CREATE OR REPLACE TABLE N CLONE N",
        "CREATE SCHEMA OTHER",
        "ALTER TABLE PUBLIC.N RENAME TO OTHER.M",
        "CREATE TABLE T (A INT)",
        "CREATE TABLE U AS SELECT A FROM M",
        "ALTER TABLE T SWAP WITH U",
        "CREATE STAGE ST",
        f"PUT file://{tmp_path}/*.csv @ST AUTO_COMPRESS = FALSE",
        "COPY INTO U FROM @ST FILES = ('a.csv') PURGE = TRUE",
        "CREATE OR REPLACE TABLE K AS SELECT 1 AS A",
    ]
    undone = [
        "BEGIN",
        "COPY INTO U FROM @ST PURGE = TRUE",
        "DELETE FROM T",
    ]
    with own_server.connect() as connection:
        cursor = connection.cursor()
        for sql in before:
            cursor.execute(sql)
        with pytest.raises(ProgrammingError):
            cursor.execute("CREATE OR REPLACE TABLE K AS SELECT 'x'::INT AS A")
        for sql in undone:
            cursor.execute(sql)
        own_server.kill()
        connection._rest = None  # the server is gone: there is no session to close
    own_server.start()
    with own_server.connect(database="D", schema="OTHER", warehouse="W") as connection:
        cursor = connection.cursor()

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return list(cursor.execute(sql).fetchall())

        cursor.execute("INSERT INTO M (A) VALUES (9)")
        assert rows("SELECT * FROM M ORDER BY ID") == [(5, 1, 3), (10, 2, 3), (15, 9, 3)]
        assert [row[:5] for row in rows("DESC TABLE M")] == [
            ("ID", "NUMBER(38,0)", "COLUMN", "Y", "IDENTITY START 5 INCREMENT 5 NOORDER"),
            ("A", "NUMBER(38,0)", "COLUMN", "Y", "1"),
            ("B", "NUMBER(38,0)", "COLUMN", "N", "3"),
        ]
        assert rows("SELECT A FROM T ORDER BY A") == [(1,), (2,)]
        assert rows("SELECT A FROM K") == [(1,)]
        assert rows("SELECT COUNT(*) FROM U") == [(2,)]
        assert [row[0] for row in rows("LIST @ST")] == ["st/b.csv"]
        assert [row[:4] for row in rows("COPY INTO U FROM @ST")] == [("st/b.csv", "LOADED", 2, 2)]
        assert rows("COPY INTO U FROM @ST") == [("Copy executed with 0 files processed.",)]
        assert rows("SELECT COUNT(*) FROM U") == [(4,)]
        assert [row[1] for row in rows("SHOW TABLES IN SCHEMA OTHER")] == ["K", "M", "T", "U"]
