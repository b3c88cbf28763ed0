"""Staged files through the connector: PUT, LIST, GET, COPY INTO, REMOVE."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError
from snowflake.connector.pandas_tools import write_pandas


@pytest.mark.parametrize("quote", ["'", ""])
def test_files_go_to_a_stage_and_come_back(run: Any, tmp_path: Path, quote: str) -> None:
    (tmp_path / "a.csv").write_text("1,x\n2,y\n")
    (tmp_path / "b.csv").write_text("3,z\n")
    run("CREATE STAGE ST")
    sent = run(f"PUT {quote}file://{tmp_path}/*.csv{quote} @ST/in AUTO_COMPRESS=FALSE")
    assert sorted((row[0], row[1], row[6]) for row in sent) == [
        ("a.csv", "a.csv", "UPLOADED"),
        ("b.csv", "b.csv", "UPLOADED"),
    ]
    assert [row[:2] for row in run("LIST @ST")] == [("st/in/a.csv", 8), ("st/in/b.csv", 4)]
    (tmp_path / "out").mkdir()
    run(f"GET @ST/in {quote}file://{tmp_path}/out/{quote}")
    assert {p.name: p.read_text() for p in (tmp_path / "out").iterdir()} == {
        "a.csv": "1,x\n2,y\n",
        "b.csv": "3,z\n",
    }
    assert run("SELECT $2, $1 FROM @ST/in ORDER BY 2") == [("x", "1"), ("y", "2"), ("z", "3")]
    run("REMOVE @ST/in/a.csv")
    assert [row[0] for row in run("LIST @ST")] == ["st/in/b.csv"]


def test_compression_by_the_client(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,x\n")
    run("CREATE STAGE ST")
    run(f"PUT file://{tmp_path}/a.csv @ST")
    assert [row[0] for row in run("LIST @ST")] == ["st/a.csv.gz"]
    (tmp_path / "out").mkdir()
    run(f"GET @ST/a.csv.gz file://{tmp_path}/out")
    assert gzip.decompress((tmp_path / "out" / "a.csv.gz").read_bytes()) == b"1,x\n"


def test_copy_is_all_or_nothing(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1\n2\n")
    (tmp_path / "b.csv").write_text("3\nnot a number\n")
    run("CREATE STAGE ST")
    run("CREATE TABLE T (A INT)")
    run(f"PUT file://{tmp_path}/*.csv @ST AUTO_COMPRESS=FALSE")
    with pytest.raises(DatabaseError, match="not a number"):
        run("COPY INTO T FROM @ST FILE_FORMAT = (TYPE = CSV)")
    assert run("SELECT COUNT(*) FROM T") == [(0,)]
    loaded = run("COPY INTO T FROM @ST FILE_FORMAT = (TYPE = CSV) FILES = ('a.csv') PURGE = TRUE")
    assert [row[:4] for row in loaded] == [("st/a.csv", "LOADED", 2, 2)]
    assert run("SELECT SUM(A) FROM T") == [(3,)]
    assert [row[0] for row in run("LIST @ST")] == ["st/b.csv"]


def test_no_path_leaves_its_stage(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1\n")
    run("CREATE STAGE ST")
    with pytest.raises(DatabaseError):
        run(f"PUT file://{tmp_path}/a.csv @ST/../../../up AUTO_COMPRESS=FALSE")


def test_write_pandas(connection: snowflake.connector.SnowflakeConnection, run: Any) -> None:
    import pandas as pd

    frame = pd.DataFrame({"A": [1, 2], "B": ["x", None], "C": [0.5, 1.5]})
    assert write_pandas(connection, frame, "F", auto_create_table=True)[:3] == (True, 1, 2)
    write_pandas(connection, frame, "F")
    assert run("SELECT * FROM F ORDER BY A") == [(1, "x", 0.5), (1, "x", 0.5), (2, None, 1.5), (2, None, 1.5)]
    write_pandas(connection, frame.head(1), "F", overwrite=True)
    assert run("SELECT COUNT(*) FROM F") == [(1,)]
