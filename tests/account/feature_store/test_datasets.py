"""snowflake-ml's Dataset, and the statements behind it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from snowflake.connector.errors import ProgrammingError
from snowflake.ml._internal.exceptions import dataset_errors
from snowflake.ml.dataset import Dataset
from snowflake.snowpark import Session


def rows(session: Session, low: int, high: int) -> Any:
    return session.sql(f"SELECT COLUMN1 AS N, COLUMN1 * 0.5 AS X, 'é' AS T FROM VALUES {values(low, high)}")


def values(low: int, high: int) -> str:
    return ", ".join(f"({n})" for n in range(low, high))


def test_versions(session: Session, database: str) -> None:
    dataset = Dataset.create(session, f"{database}.S.DS")
    with pytest.raises(dataset_errors.DatasetExistError):
        Dataset.create(session, f"{database}.S.DS")
    Dataset.create(session, f"{database}.S.DS", exist_ok=True)
    dataset.create_version("v1", rows(session, 0, 3), comment="it's one", label_cols=["X"])
    dataset.create_version("V1", rows(session, 3, 4))
    with pytest.raises(dataset_errors.DatasetExistError):
        dataset.create_version("v1", rows(session, 0, 1))
    assert dataset.list_versions() == ["V1", "v1"]
    found = dataset.select_version("v1").read.to_pandas()
    expected = pd.DataFrame({"N": [0, 1, 2], "X": [0.0, 0.5, 1.0], "T": ["é"] * 3})
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    files = dataset.select_version("v1").selected_version.list_files()  # type: ignore[union-attr]
    assert [file["name"] for file in files] == ["versions/v1/data_0_0_0.snappy.parquet"]
    with pytest.raises(dataset_errors.DatasetNotExistError):
        dataset.select_version("v9")
    dataset.delete_version("v1")
    assert dataset.list_versions() == ["V1"]
    dataset.delete()
    with pytest.raises(dataset_errors.DatasetNotExistError):
        Dataset.load(session, f"{database}.S.DS")
    with pytest.raises(dataset_errors.DatasetNotExistError):
        dataset.create_version("v1", rows(session, 0, 1))


ERRORS = [
    ("DROP DATASET NOPE", 2003),
    ("ALTER DATASET NOPE ADD VERSION 'v' FROM (SELECT 1 AS A)", 399019),
    ("SHOW VERSIONS IN DATASET NOPE", 2043),
    ("CREATE DATASET DS", 2002),
    ("ALTER DATASET DS ADD VERSION 'v1' FROM (SELECT 1 AS A)", 399020),
    ("ALTER DATASET DS ADD VERSION 'v2' FROM (SELECT * FROM NOPE)", 2003),
    ("ALTER DATASET DS ADD VERSION 'v2' FROM (SELECT 1 AS A) METADATA = 'no json'", 1008),
    ("ALTER DATASET DS ADD VERSION '../v2' FROM (SELECT 1 AS A)", 1008),
    ("ALTER DATASET DS ADD VERSION 'v2' FROM (SELECT 1 AS A) PARTITION BY A", 2),
    ("ALTER DATASET DS DROP VERSION 'v9'", 399012),
    ("LIST 'snow://dataset/DS/versions/v9'", 399012),
    ("LIST 'snow://dataset/NOPE/versions/v1'", 2003),
    ("REMOVE 'snow://dataset/DS/versions/v1'", 1008),
    ("ALTER DATASET DS SWAP WITH D2", 2),
]


def test_errors_change_nothing(run: Any, connection: Any) -> None:
    run("CREATE DATASET DS COMMENT = 'c'")
    run("ALTER DATASET DS ADD VERSION 'v1' FROM (SELECT 1 AS A) METADATA = '{\"a\": 1}'")
    before = (
        run("SHOW DATASETS"),
        run("SHOW VERSIONS IN DATASET DS"),
        run("LIST 'snow://dataset/DS/versions/v1'"),
    )
    for statement, code in ERRORS:
        with pytest.raises(ProgrammingError) as raised:
            run(statement)
        assert (statement, raised.value.errno) == (statement, code)
    after = (
        run("SHOW DATASETS"),
        run("SHOW VERSIONS IN DATASET DS"),
        run("LIST 'snow://dataset/DS/versions/v1'"),
    )
    assert before == after
    assert before[0][0][1:] == (
        "DS",
        connection.database,
        "S",
        "c",
        "ACCOUNTADMIN",
        '["v1"]',
    )
    assert run("DROP DATASET IF EXISTS NOPE") == [("Drop statement executed successfully.",)]


def test_files_go_with_their_dataset(run: Any, account_server: Any, database: str) -> None:
    run("CREATE DATASET DS")
    for version in ("a", "b"):
        run(f"ALTER DATASET DS ADD VERSION '{version}' FROM (SELECT 1 AS A)")
    folder = account_server.data / "files" / database
    assert len(list(folder.iterdir())) == 2
    run("ALTER DATASET DS DROP VERSION 'a'")
    assert len(list(folder.iterdir())) == 1
    run("CREATE OR REPLACE DATASET DS")
    assert list(folder.iterdir()) == []
    run("ALTER DATASET DS ADD VERSION 'a' FROM (SELECT 1 AS A)")
    run("DROP SCHEMA S")
    assert list(folder.iterdir()) == []
