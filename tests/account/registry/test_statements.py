"""The statements behind the Registry: live versions, errors that change nothing, what a kill leaves."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import DatabaseError, ProgrammingError

MANIFEST = """
manifest_version: '1.0'
methods:
- {name: PREDICT, handler: functions.predict.infer, type: FUNCTION, runtime: r, inputs: [{name: A, type: DOUBLE}],
   outputs: [{type: OBJECT}]}
- {name: '"each"', handler: functions.each.infer, type: TABLE_FUNCTION, runtime: r, inputs: [],
   params: [{name: P, type: BIGINT, default: 1}], outputs: [{name: X, type: DOUBLE}, {name: Y, type: VARCHAR}]}
runtimes:
  r: {language: PYTHON, version: '3.11', imports: [model/], dependencies: {conda: env.yml}}
user_data: {a: 1}
"""


@pytest.fixture
def version_files(tmp_path: Path) -> Path:
    """A small version's files: a manifest, a specification and one more."""
    folder = tmp_path / "version"
    (folder / "model").mkdir(parents=True)
    (folder / "MANIFEST.yml").write_text(MANIFEST)
    (folder / "model" / "model.yaml").write_text("model_type: custom\nmodels: {}\n")
    (folder / "model" / "data.bin").write_bytes(bytes(range(256)))
    return folder


@pytest.fixture
def staged(run: Any, version_files: Path) -> str:
    """The same on a stage."""
    run("CREATE STAGE UP")
    run(f"PUT 'file://{version_files}/MANIFEST.yml' @UP/v AUTO_COMPRESS = FALSE")
    run(f"PUT 'file://{version_files}/model/*' @UP/v/model AUTO_COMPRESS = FALSE")
    return "@UP/v"


def versions(run: Any, model: str = "M") -> list[tuple[Any, ...]]:
    """(name, aliases, comment, default, metadata) of each version."""
    rows = run(f"SHOW VERSIONS IN MODEL {model}")
    return [(r[1], json.loads(r[2]), r[3], r[7], r[9]) for r in rows]


def test_live_versions(run: Any, connection: Any, version_files: Path) -> None:
    run("CREATE MODEL PENDING WITH LIVE VERSION LIVE_1")
    with pytest.raises(ProgrammingError) as raised:
        run("ALTER MODEL PENDING COMMIT VERSION LIVE_1")
    assert raised.value.errno == 398507
    url = f"snow://model/{connection.database}.S.PENDING/versions/LIVE_1"
    run(f"PUT 'file://{version_files}/MANIFEST.yml' '{url}' AUTO_COMPRESS = FALSE")
    run(f"PUT 'file://{version_files}/model/data.bin' '{url}/model' AUTO_COMPRESS = FALSE")
    assert versions(run, "PENDING") == [("LIVE_1", [], "", "false", "{}")]
    run("ALTER MODEL PENDING COMMIT VERSION LIVE_1 RENAME TO M RENAME VERSION TO V1")
    assert versions(run) == [("V1", ["DEFAULT", "FIRST", "LAST"], "", "true", "{}")]
    assert [r[1] for r in run("SHOW MODELS")] == ["M"]
    listed = run("LIST 'snow://model/M/versions/V1'")
    assert [r[:2] for r in listed] == [
        ("versions/V1/MANIFEST.yml", len(MANIFEST)),
        ("versions/V1/model/data.bin", 256),
    ]
    # What is committed is final.
    for statement in (
        f"PUT 'file://{version_files}/MANIFEST.yml' 'snow://model/M/versions/V1'",
        "REMOVE 'snow://model/M/versions/V1/model'",
        "ALTER MODEL M COMMIT VERSION V1",
    ):
        with pytest.raises(ProgrammingError) as raised:
            run(statement)
        assert raised.value.errno == 1008
    run("ALTER MODEL M ADD LIVE VERSION LIVE_2")
    with pytest.raises(ProgrammingError):
        run("ALTER MODEL M ADD LIVE VERSION LIVE_3")
    assert [v[1] for v in versions(run)] == [["DEFAULT", "FIRST", "LAST"], []]
    run("ALTER MODEL M DROP VERSION LIVE_2")
    assert run("LIST 'snow://model/M/versions/V1'") == listed


def test_files_of_a_version(run: Any, staged: str, version_files: Path, tmp_path: Path) -> None:
    run(f'CREATE MODEL M WITH VERSION "v 1" FROM {staged}')
    run('ALTER MODEL M VERSION "v 1" SET ALIAS = LIVE_ONE')
    for version in ("v 1", "LIVE_ONE", "live_one", "DEFAULT", "first"):
        target = tmp_path / f"got {version}"
        target.mkdir()
        run(f"GET 'snow://model/M/versions/{version}/model/data.bin' 'file://{target}'")
        assert (target / "data.bin").read_bytes() == bytes(range(256))
    # The stage's files may change; the version's do not.
    (version_files / "model" / "data.bin").write_bytes(b"other")
    run(f"PUT 'file://{version_files}/model/data.bin' @UP/v/model AUTO_COMPRESS = FALSE OVERWRITE = TRUE")
    assert run("LIST 'snow://model/M/versions/LAST/model/data.bin'")[0][1] == 256
    functions = run("SHOW FUNCTIONS IN MODEL M VERSION LAST")
    assert [r[1:] for r in functions] == [
        ("PREDICT", "v 1", 1, 1, '["DOUBLE"]', "OBJECT", "", "PYTHON", "N"),
        ("each", "v 1", 0, 1, '["BIGINT"]', "TABLE (X DOUBLE, Y VARCHAR)", "", "PYTHON", "Y"),
    ]
    (row,) = run("SHOW VERSIONS LIKE 'V_1' IN MODEL M")
    assert (json.loads(row[8]), json.loads(row[10])) == (["PREDICT", "each"], {"a": 1})
    assert json.loads(row[11])["framework"] == "custom"
    assert row[16].startswith("model_type: custom")


ERRORS = [
    ("CREATE MODEL M WITH VERSION V9 FROM @UP/v", 2002),
    ("CREATE MODEL N WITH VERSION V1 FROM @UP/nothing", 398507),
    ("CREATE MODEL N WITH VERSION V1 FROM @NOPE/v", 2003),
    ("CREATE MODEL N WITH VERSION FIRST FROM @UP/v", 1008),
    ("CREATE MODEL N WITH VERSION V1 FROM MODEL NOPE VERSION V1", 2003),
    ("CREATE MODEL N WITH VERSION V1 FROM MODEL M VERSION V9", 2003),
    ("CREATE MODEL NOPE.N WITH VERSION V1 FROM @UP/v", 2003),
    ("CREATE MODEL N FROM @UP/v", 2),
    ("ALTER MODEL NOPE SET DEFAULT_VERSION = V1", 2003),
    ("ALTER MODEL M SET DEFAULT_VERSION = V9", 2003),
    ("ALTER MODEL M ADD VERSION V2 FROM @UP/v", 92917),
    ("ALTER MODEL M ADD VERSION CHAMPION FROM @UP/v", 92917),
    ("ALTER MODEL M DROP VERSION V1", 92918),
    ("ALTER MODEL M DROP VERSION DEFAULT", 92918),
    ("ALTER MODEL M DROP VERSION V9", 2003),
    ("ALTER MODEL M VERSION V1 SET ALIAS = CHAMPION", 92917),
    ("ALTER MODEL M VERSION V1 SET ALIAS = V2", 92917),
    ("ALTER MODEL M VERSION V1 SET ALIAS = LAST", 1008),
    ("ALTER MODEL M MODIFY VERSION V1 SET METADATA = 'no json'", 1008),
    ("ALTER MODEL M MODIFY VERSION V1 SET SIZE = 1", 2),
    ("ALTER MODEL M RENAME TO M", None),
    ("ALTER MODEL M RENAME TO OTHER", 2002),
    ("ALTER MODEL M RENAME TO NOPE.M", 2003),
    ("ALTER MODEL M SET TAG NOPE = 'x'", 2003),
    ("ALTER MODEL M SWAP WITH OTHER", 2),
    ("ALTER MODEL M COMMIT VERSION V1", 1008),
    ("DROP MODEL NOPE", 2003),
    ("COMMENT ON MODEL NOPE IS 'x'", 2003),
    ("SHOW VERSIONS IN MODEL NOPE", 2003),
    ("SHOW VERSIONS IN TABLE M", 2),
    ("SHOW FUNCTIONS IN MODEL M VERSION V9", 2003),
    ("DESCRIBE MODEL M", 2),
    ("LIST 'snow://model/M/versions/V9'", 2003),
    ("SELECT GET_PRESIGNED_URL('snow://model/M/versions/V1', '../../x')", 1023),
    ("CREATE MODEL N WITH VERSION V1 FROM @UP/../..", 1023),
    ("LIST 'snow://nothing/M/versions/V1'", 2),
]


def test_errors_change_nothing(run: Any, staged: str, account_server: Any, database: str) -> None:
    run(f"CREATE MODEL M WITH VERSION V1 FROM {staged}")
    run(f"ALTER MODEL M ADD VERSION V2 FROM {staged}")
    run("ALTER MODEL M VERSION V2 SET ALIAS = CHAMPION")
    run("CREATE MODEL OTHER WITH VERSION V1 FROM MODEL M")
    folder = account_server.data / "files" / database

    def everything() -> Any:
        shown = run("SHOW MODELS"), run("SHOW VERSIONS IN MODEL M"), run("SHOW VERSIONS IN MODEL OTHER")
        return shown, sorted(path.name for path in folder.iterdir())

    before = everything()
    for statement, code in ERRORS:
        if code is None:
            run(statement)
            continue
        with pytest.raises(DatabaseError) as raised:
            run(statement)
        assert (statement, raised.value.errno) == (statement, code)
    assert everything() == before
    assert run("DROP MODEL IF EXISTS NOPE") == [("Drop statement executed successfully.",)]
    assert run("ALTER MODEL IF EXISTS NOPE SET COMMENT = 'x'") == [("Statement executed successfully.",)]
    assert "already exists" in run(f"CREATE MODEL IF NOT EXISTS M WITH VERSION V9 FROM {staged}")[0][0]
    run(f"CREATE OR REPLACE MODEL M WITH VERSION W FROM {staged}")
    assert [v[0] for v in versions(run)] == ["W"]


def test_versions_added_at_once_are_all_there(
    run: Any, staged: str, account_server: Any, database: str
) -> None:
    run(f"CREATE MODEL M WITH VERSION V0 FROM {staged}")
    failures: list[BaseException] = []

    def add(number: int) -> None:
        try:
            with account_server.connect(database=database, schema="S") as own, own.cursor() as cursor:
                cursor.execute(f"ALTER MODEL M ADD VERSION V{number} FROM @UP/v")
                cursor.execute(f"ALTER MODEL M MODIFY VERSION V{number} SET COMMENT = 'c{number}'")
        except DatabaseError as error:
            failures.append(error)

    threads = [threading.Thread(target=add, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted((v[0], v[2]) for v in versions(run)) == [("V0", "")] + [
        (f"V{n}", f"c{n}") for n in range(1, 7)
    ]


WRITER = """
import json, sys
import snowflake.connector
connection = snowflake.connector.connect(**json.loads(sys.argv[1]), database="D", warehouse="WH")
for n in range(1, 1000):
    for statement in sys.argv[2:]:
        connection.cursor().execute(statement.format(n=n))
"""


def test_a_kill_leaves_whole_versions_only(own_server: Any, version_files: Path) -> None:
    """Kill the account in the midst of writing versions: what is listed is whole, nothing else is kept."""
    for path in ("a", "b", "c"):
        (version_files / "model" / path).write_bytes(b"x" * 200_000)
    count = len([path for path in version_files.rglob("*") if path.is_file()])
    with own_server.connect() as connection, connection.cursor() as cursor:
        for statement in (
            "CREATE DATABASE D",
            "CREATE STAGE UP",
            f"PUT 'file://{version_files}/MANIFEST.yml' @UP/v AUTO_COMPRESS = FALSE",
            f"PUT 'file://{version_files}/model/*' @UP/v/model AUTO_COMPRESS = FALSE",
            "CREATE MODEL M WITH VERSION V0 FROM @UP/v",
            "CREATE DATASET DS",
            "CREATE WAREHOUSE WH",
            "CREATE TABLE T AS SELECT SEQ4() AS A FROM TABLE(GENERATOR(ROWCOUNT => 50000))",
            "CREATE DYNAMIC TABLE DT TARGET_LAG = DOWNSTREAM WAREHOUSE = WH AS SELECT A, COUNT(*) OVER () AS N FROM T",
        ):
            cursor.execute(statement)

    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, json.dumps(own_server.parameters), *statements])
        for statements in (
            ["ALTER MODEL M ADD VERSION V{n} FROM @UP/v"],
            ["ALTER DATASET DS ADD VERSION 'v{n}' FROM (SELECT {n} AS N, A FROM T)"],
            ["ALTER DYNAMIC TABLE DT REFRESH", "INSERT INTO T SELECT {n}"],
        )
    ]
    folder = own_server.data / "files" / "D"
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 12 and time.monotonic() < deadline:
        time.sleep(0.01)
    own_server.kill()
    # Only now: a client that loses its server asks again for minutes.
    for writer in writers:
        writer.kill()
        writer.wait(10)
    own_server.start()
    with own_server.connect(database="D", warehouse="WH") as connection, connection.cursor() as cursor:

        def rows(sql: str) -> list[Any]:
            return list(cursor.execute(sql).fetchall())

        models = [row[1] for row in rows("SHOW VERSIONS IN MODEL M")]
        datasets = [row[1] for row in rows("SHOW VERSIONS IN DATASET DS")]
        assert len(models) + len(datasets) > 6
        assert models == [f"V{n}" for n in range(len(models))]
        assert datasets == [f"v{n + 1}" for n in range(len(datasets))]
        for version in models:
            assert len(rows(f"LIST 'snow://model/M/versions/{version}'")) == count
        for number, version in enumerate(datasets, 1):
            found = rows(
                f"SELECT MIN($1:N::INT), MAX($1:N::INT), COUNT(*) >= 50000 "
                f"FROM 'snow://dataset/DS/versions/{version}' (PATTERN => '.*')"
            )
            assert found == [(number, number, True)]
        folders = list((own_server.data / "files" / "D").iterdir())
        assert len(folders) == len(models) + len(datasets) + 1
        ((told, counted, same),) = rows("SELECT COUNT(*), MAX(N), MIN(N) = MAX(N) FROM DT")
        assert (told, same) == (counted, True)
        history = rows(
            "SELECT COUNT(*), MAX(STATISTICS:numInsertedRows::INT) "
            "FROM SNOWFLAKE.ACCOUNT_USAGE.DYNAMIC_TABLE_REFRESH_HISTORY"
        )
        assert history[0][1] == told


HANDLER = """
import time
import pandas as pd
from _snowflake import vectorized

@vectorized(input=pd.DataFrame)
def infer(df):
    if (df[0] > 5).any():
        raise ValueError('too big')
    if (df[0] < 0).any():
        time.sleep(60)
    return [{'x': float(a), 'n': None, 't': 'it "is"'} for a in df[0]]
"""


@pytest.mark.parametrize("source", ["VALUES (?)", "VALUES (?) AS a JOIN VALUES (1) AS b"])
def test_a_handlers_results_errors_and_timeouts(
    run: Any, staged: str, version_files: Path, source: str
) -> None:
    (version_files / "predict.py").write_text(HANDLER)
    run(f"PUT 'file://{version_files}/predict.py' {staged}/functions AUTO_COMPRESS = FALSE")
    run(f"CREATE MODEL M WITH VERSION V1 FROM {staged}")
    column = "a.COLUMN1" if "JOIN" in source else "COLUMN1"
    query = f"SELECT MODEL(M, V1)!PREDICT({column}) FROM {source}"
    ((found,),) = run(query.replace("?", "1.5"))
    assert json.loads(found) == {"x": 1.5, "n": None, "t": 'it "is"'}
    with pytest.raises(ProgrammingError, match=r"line 9, in infer\n(.|\n)*ValueError: too big") as raised:
        run(query.replace("?", "9"))
    assert raised.value.errno == 100357
    run("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
    with pytest.raises(ProgrammingError) as raised:
        run(query.replace("?", "-1"))
    assert raised.value.errno == 630
