"""COPY INTO a table: no file is loaded twice or half, each option is obeyed or refused by name."""

from __future__ import annotations

import bz2
import gzip
import re
import threading
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded_account import csv_reader, files, statements
from embedded_account.account import Account
from embedded_account.formats import read_format
from embedded_account.objects import load_history
from embedded_account.session import Session

NOTHING = [("Copy executed with 0 files processed.",)]


@pytest.fixture
def stage(run: Any, session: Session) -> Callable[[str, str | bytes], Path]:
    """Puts a file on the stage ST."""
    run("CREATE STAGE ST")

    def put(name: str, content: str | bytes) -> Path:
        path = files.locate(session, f"@ST/{name}").target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


def loaded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """File, status, rows parsed and loaded, errors."""
    return [(row[0], row[1], row[2], row[3], row[5]) for row in rows]


# ----- once


def test_a_file_is_loaded_once(run: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT)")
    stage("a.csv", "1\n2\n")
    assert loaded(run("COPY INTO T FROM @ST")) == [("st/a.csv", "LOADED", 2, 2, 0)]
    assert run("COPY INTO T FROM @ST") == NOTHING
    stage("b.csv", "3\n")
    assert loaded(run("COPY INTO T FROM @ST")) == [("st/b.csv", "LOADED", 1, 1, 0)]
    named = run("COPY INTO T FROM @ST FILES = ('b.csv', 'a.csv')")
    assert [(row[1], row[3], row[6]) for row in named] == [("LOAD_SKIPPED", 0, "File was loaded before.")] * 2
    assert sorted(run("SELECT A FROM T")) == [(1,), (2,), (3,)]
    # Another content under the same name is another file.
    stage("a.csv", "4\n")
    assert loaded(run("COPY INTO T FROM @ST")) == [("st/a.csv", "LOADED", 1, 1, 0)]
    assert len(run("COPY INTO T FROM @ST FORCE = TRUE")) == 2
    assert sorted(run("SELECT A FROM T")) == [(1,), (2,), (3,), (3,), (4,), (4,)]


# What ends what a table remembers, and what does not.
FORGETTING = {
    "TRUNCATE TABLE T": True,
    "CREATE OR REPLACE TABLE T (A INT)": True,
    "DELETE FROM T": False,
    "ALTER TABLE T ADD COLUMN IF NOT EXISTS A INT": False,
    "INSERT OVERWRITE INTO T SELECT 9": False,
}


@pytest.mark.parametrize("temporary", ["", "TEMPORARY "])
@pytest.mark.parametrize(("statement", "forgets"), FORGETTING.items())
def test_what_a_table_remembers(run: Any, stage: Any, temporary: str, statement: str, forgets: bool) -> None:
    run(f"CREATE {temporary}TABLE T (A INT)")
    stage("a.csv", "1\n")
    run("COPY INTO T FROM @ST")
    run(statement.replace("REPLACE TABLE", f"REPLACE {temporary}TABLE"))
    assert (run("COPY INTO T FROM @ST") == NOTHING) is not forgets


def test_it_goes_with_the_table(run: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT)")
    run("CREATE TABLE U (A INT)")
    stage("a.csv", "1\n")
    run("COPY INTO T FROM @ST")
    run("ALTER TABLE T RENAME TO T2")
    assert run("COPY INTO T2 FROM @ST") == NOTHING
    run("ALTER TABLE T2 SWAP WITH U")
    assert run("COPY INTO U FROM @ST") == NOTHING
    assert loaded(run("COPY INTO T2 FROM @ST")) == [("st/a.csv", "LOADED", 1, 1, 0)]
    run("CREATE OR REPLACE STAGE ST")
    stage("a.csv", "1\n")
    assert loaded(run("COPY INTO U FROM @ST")) == [("st/a.csv", "LOADED", 1, 1, 0)]


def test_rows_and_memory_are_undone_together(run: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT)")
    path = stage("a.csv", "1\n")
    run("BEGIN")
    run("COPY INTO T FROM @ST PURGE = TRUE")
    assert run("COPY INTO T FROM @ST") == NOTHING
    run("ROLLBACK")
    assert path.exists()
    assert run("SELECT * FROM T") == []
    run("BEGIN")
    assert loaded(run("COPY INTO T FROM @ST PURGE = TRUE")) == [("st/a.csv", "LOADED", 1, 1, 0)]
    assert path.exists()
    run("COMMIT")
    assert not path.exists()
    assert run("SELECT * FROM T") == [(1,)]


def test_two_at_once_load_once(account: Account, session: Session, run: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT)")
    for i in range(5):
        stage(f"{i}.csv", "1\n" * 200)
    others = [Session(account) for _ in range(4)]
    begin = threading.Barrier(len(others))

    def copy(other: Session) -> None:
        other.use("D", session.schema)
        other.warehouse = "W"
        begin.wait()
        statements.execute(other, "COPY INTO T FROM @ST")

    threads = [threading.Thread(target=copy, args=[other]) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert run("SELECT COUNT(*) FROM T") == [(1000,)]


def test_after_64_days(run: Any, stage: Any, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    run("CREATE TABLE T (A INT)")
    stage("a.csv", "1\n")
    run("COPY INTO T FROM @ST")
    later = datetime.now(UTC) + timedelta(days=65)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return later

    monkeypatch.setattr(load_history, "datetime", Clock)
    # Whether it was loaded is no longer known.
    assert run("COPY INTO T FROM @ST") == NOTHING
    assert loaded(run("COPY INTO T FROM @ST LOAD_UNCERTAIN_FILES = TRUE")) == [
        ("st/a.csv", "LOADED", 1, 1, 0)
    ]
    assert run("COPY INTO T FROM @ST LOAD_UNCERTAIN_FILES = TRUE") == NOTHING


# ----- errors

CONTENT = {"a.csv": "1,x\n2,y\n", "b.csv": "3,x\nno,y\n4,z,z\n5,w\n", "c.csv": "6,x\n"}
FIRST = "Numeric value 'no' is not recognized"


@pytest.mark.parametrize(
    ("on_error", "b", "rows"),
    [
        ("CONTINUE", ("PARTIALLY_LOADED", 4, 2, 4, 2), [1, 2, 3, 5, 6]),
        ("SKIP_FILE", ("LOAD_FAILED", 4, 0, 1, 2), [1, 2, 6]),
        ("SKIP_FILE_2", ("LOAD_FAILED", 4, 0, 2, 2), [1, 2, 6]),
        ("SKIP_FILE_3", ("PARTIALLY_LOADED", 4, 2, 3, 2), [1, 2, 3, 5, 6]),
        ("'SKIP_FILE_49%'", ("LOAD_FAILED", 4, 0, 2, 2), [1, 2, 6]),
        ("'SKIP_FILE_50%'", ("PARTIALLY_LOADED", 4, 2, 2, 2), [1, 2, 3, 5, 6]),
    ],
)
def test_on_error(run: Any, stage: Any, on_error: str, b: tuple[Any, ...], rows: list[int]) -> None:
    run("CREATE TABLE T (A INT, B VARCHAR)")
    paths = {name: stage(name, text) for name, text in CONTENT.items()}
    answer = run(f"COPY INTO T FROM @ST ON_ERROR = {on_error} PURGE = TRUE")
    assert answer[1][1:6] == b
    assert answer[1][6:] == (FIRST, 2, 1, '"T"["A":1]')
    assert sorted(run("SELECT A FROM T")) == [(n,) for n in rows]
    # What is not wholly loaded is not removed; what is partly loaded is not loaded again.
    assert [name for name, path in paths.items() if path.exists()] == ["b.csv"]
    again = run(f"COPY INTO T FROM @ST ON_ERROR = {on_error}")
    assert (
        again == NOTHING
        if b[0] == "PARTIALLY_LOADED"
        else loaded(again) == [("st/b.csv", "LOAD_FAILED", 4, 0, 2)]
    )
    history = "SELECT FILE_NAME, STATUS, ROW_COUNT, ERROR_COUNT FROM INFORMATION_SCHEMA.LOAD_HISTORY "
    history += "WHERE SCHEMA_NAME = CURRENT_SCHEMA() ORDER BY 1"
    assert run(history)[1] == ("st/b.csv", b[0], b[2], 2)


def test_an_error_aborts_everything(run: Any, refused: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT, B VARCHAR)")
    for name, text in CONTENT.items():
        stage(name, text)
    code, sqlstate, message = refused("COPY INTO T FROM @ST PURGE = TRUE")
    assert (code, sqlstate) == (100038, "22018")
    assert message.startswith(f'{FIRST}\n  File \'b.csv\', line 2, character 1\n  Row 2, column "T"["A":1]\n')
    assert run("SELECT COUNT(*) FROM T") == [(0,)]
    assert len(run("LIST @ST")) == 3
    assert len(run("COPY INTO T FROM @ST ON_ERROR = CONTINUE RETURN_FAILED_ONLY = TRUE")) == 1


def test_validation_loads_nothing(run: Any, refused: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT, B VARCHAR)")
    for name, text in CONTENT.items():
        stage(name, text)
    errors = run("COPY INTO T FROM @ST VALIDATION_MODE = RETURN_ERRORS")
    assert [
        (row[0][:20], row[1], row[2], row[3], row[5], row[6], row[8], row[9], row[11]) for row in errors
    ] == [
        ("Numeric value 'no' i", "st/b.csv", 2, 1, "conversion", 100038, '"T"["A":1]', 2, "no,y"),
        ("Number of columns in", "st/b.csv", 3, 5, "parsing", 100080, None, 3, "4,z,z"),
    ]
    assert run("COPY INTO T FROM @ST VALIDATION_MODE = RETURN_2_ROWS FILES = ('a.csv')") == [
        (1, "x"),
        (2, "y"),
    ]
    assert run("COPY INTO T FROM @ST VALIDATION_MODE = RETURN_1_ROWS") == [(1, "x")]
    assert refused("COPY INTO T FROM @ST VALIDATION_MODE = RETURN_2_ROWS")[0] == 100038
    assert refused("COPY INTO T FROM (SELECT $1, $2 FROM @ST) VALIDATION_MODE = RETURN_ERRORS")[0] == 1008
    assert run("SELECT COUNT(*) FROM T") == [(0,)]
    run("COPY INTO T FROM @ST ON_ERROR = CONTINUE")
    assert run("COPY INTO T FROM @ST VALIDATION_MODE = RETURN_ERRORS") == []
    assert len(run("COPY INTO T FROM @ST VALIDATION_MODE = RETURN_ALL_ERRORS")) == 2
    assert run("SELECT COUNT(*) FROM T") == [(5,)]


# ----- which files


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("FILES = ('in/a.csv')", ["in/a.csv"]),
        ("PATTERN = '.*b[.]csv'", ["b.csv", "in/b.csv"]),
        ("PATTERN = 'in/.*'", ["in/a.csv", "in/b.csv"]),
        ("SIZE_LIMIT = 1", ["a.csv"]),
        ("SIZE_LIMIT = 4", ["a.csv", "b.csv", "in/a.csv"]),
        ("SIZE_LIMIT = 1000", ["a.csv", "b.csv", "in/a.csv", "in/b.csv"]),
    ],
)
def test_which_files(run: Any, stage: Any, options: str, names: list[str]) -> None:
    run("CREATE TABLE T (A INT)")
    for name in ("a.csv", "b.csv", "in/a.csv", "in/b.csv"):
        stage(name, "1\n")
    assert [row[0] for row in run(f"COPY INTO T FROM @ST {options}")] == [f"st/{name}" for name in names]


def test_a_named_file_must_be_there(run: Any, refused: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT)")
    stage("in/a.csv", "1\n")
    assert refused("COPY INTO T FROM @ST FILES = ('a.csv')")[:2] == (91016, "22000")
    assert run("COPY INTO T FROM @ST FILES = ('a.csv') ON_ERROR = SKIP_FILE") == NOTHING
    assert loaded(run("COPY INTO T FROM @ST/in FILES = ('a.csv')")) == [("st/in/a.csv", "LOADED", 1, 1, 0)]


# ----- CSV

TYPES = "(A INT, B VARCHAR, C FLOAT, D DATE, E TIMESTAMP_NTZ, F BOOLEAN)"
QUOTED = "FIELD_OPTIONALLY_ENCLOSED_BY = '\"'"
DAY, MOMENT = date(2024, 2, 29), datetime(2024, 1, 1, 10)
# Options of the format, a file, the rows without the NULLs at their end.
CSV: list[tuple[str, str | bytes, list[tuple[Any, ...]]]] = [
    ("", "1,x,2.5,2024-02-29,2024-01-01 10:00:00,yes\n", [(1, "x", 2.5, DAY, MOMENT, True)]),
    ("", ",,,,,\n", [()]),
    ("", "1,\\N,\\N,\\N,\\N,\\N\r\n", [(1,)]),
    ("NULL_IF = ('', 'NULL', '-')", "1,NULL,-,NULL,,NULL", [(1,)]),
    (
        "EMPTY_FIELD_AS_NULL = FALSE",
        "1,,2,2024-02-29,2024-01-01 10:00:00,1\n",
        [(1, "", 2.0, DAY, MOMENT, True)],
    ),
    ("SKIP_HEADER = 2", "h\nh\n1,x,,,,\n", [(1, "x")]),
    (QUOTED, '"1","a,""b""\nc",,,,\n2,"",,,,', [(1, 'a,"b"\nc'), (2, "")]),
    (f"{QUOTED} ESCAPE = '\\\\'", '1,"a\\"b\\n",,,,', [(1, 'a"b\n')]),
    ("", "1,a\\,b\\tc,,,,", [(1, "a,b\tc")]),
    ("ESCAPE_UNENCLOSED_FIELD = NONE", "1,a\\tb,,,,", [(1, "a\\tb")]),
    ("", '1,"x",,,,', [(1, '"x"')]),
    ("", "1, x ,,,,", [(1, " x ")]),
    ("TRIM_SPACE = TRUE", " 1 , x , ,,,", [(1, "x")]),
    (f"TRIM_SPACE = TRUE {QUOTED}", '1 , " x " ,,,,', [(1, " x ")]),
    ("FIELD_DELIMITER = '|'", "1|x||||", [(1, "x")]),
    ("FIELD_DELIMITER = '0x01'", "1\x01x\x01\x01\x01\x01", [(1, "x")]),
    (
        "FIELD_DELIMITER = '::' RECORD_DELIMITER = '##'",
        "1::a:b::::::::##2::c\n::::::::",
        [(1, "a:b"), (2, "c\n")],
    ),
    ("ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE", "1\n2,x,,,,,more\n", [(1,), (2, "x")]),
    ("SKIP_BLANK_LINES = TRUE", "\n1,x,,,,\n\n\n", [(1, "x")]),
    ("ENCODING = 'ISO-8859-1'", "1,é,,,,".encode("latin-1"), [(1, "é")]),
    ("REPLACE_INVALID_CHARACTERS = TRUE", b"1,\xff,,,,", [(1, "\ufffd")]),
    ("", b"\xef\xbb\xbf1,x,,,,", [(1, "x")]),
    ("COMPRESSION = GZIP", gzip.compress(b"1,x,,,,", mtime=0), [(1, "x")]),
    ("COMPRESSION = BZ2", bz2.compress(b"1,x,,,,"), [(1, "x")]),
    ("COMPRESSION = DEFLATE", zlib.compress(b"1,x,,,,"), [(1, "x")]),
    ("", "", []),
]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("options", "content", "rows"), CSV)
def test_csv(
    run: Any, stage: Any, named: bool, options: str, content: str | bytes, rows: list[tuple[Any, ...]]
) -> None:
    run(f"CREATE TABLE T {TYPES}")
    stage("a.csv", content)
    if named:
        run(f"CREATE FILE FORMAT FF TYPE = CSV {options}")
    form = "(FORMAT_NAME = 'FF')" if named else f"(TYPE = CSV {options})"
    [answer] = run(f"COPY INTO T FROM @ST FILE_FORMAT = {form}")
    assert answer[1:4] == ("LOADED", len(rows), len(rows))
    filled = [row + (None,) * (6 - len(row)) for row in rows]
    assert sorted(run("SELECT * FROM T"), key=repr) == sorted(filled, key=repr)


COUNT = (
    "Number of columns in file (2) does not match that of the corresponding table (1), "
    "use file format option error_on_column_count_mismatch=false to ignore this error"
)
NOT_NUMBER = "Numeric value '{}' is not recognized"
# Columns, options, a file; the error's code and message, its line and character, its column.
WRONG: list[tuple[str, str, str, int, str, int, int, str | None]] = [
    ("A INT", "", "x\n", 100038, NOT_NUMBER.format("x"), 1, 1, "A"),
    (
        "A INT, B DATE",
        "",
        "1,2024-01-01\n2,2024-13-01\n",
        100040,
        "Date '2024-13-01' is not recognized",
        2,
        3,
        "B",
    ),
    ("A INT, B BOOLEAN", "", "1,maybe", 100037, "Boolean value 'maybe' is not recognized", 1, 3, "B"),
    ("A TIMESTAMP_NTZ", "", "noon", 100035, "Timestamp 'noon' is not recognized", 1, 1, "A"),
    ("A TIME", "", "noon", 100108, "Time 'noon' is not recognized", 1, 1, "A"),
    ("A INT, B INT NOT NULL", "", "1,1\n1,\n", 100072, "NULL result in a non-nullable column", 2, 3, "B"),
    ("A VARCHAR, B INT", QUOTED, '"a\nb",1\nc,x\n', 100038, NOT_NUMBER.format("x"), 3, 3, "B"),
    (
        "A INT",
        "EMPTY_FIELD_AS_NULL = FALSE SKIP_HEADER = 1",
        "a\n\n",
        100038,
        NOT_NUMBER.format(""),
        2,
        1,
        "A",
    ),
    ("A INT", "", "1,2\n", 100080, COUNT, 1, 3, None),
    (
        "A INT, B INT",
        QUOTED,
        '"1"x,2\n',
        100016,
        "Found character 'x' instead of field delimiter ','",
        1,
        1,
        None,
    ),
]


@pytest.mark.parametrize(
    ("table", "options", "content", "code", "message", "line", "character", "column"), WRONG
)
def test_where_an_error_stands(
    run: Any, refused: Any, stage: Any, table: str, options: str, content: str, code: int, message: str,
    line: int, character: int, column: str | None,
) -> None:  # fmt: skip
    run(f"CREATE TABLE T ({table})")
    stage("a.csv", content)
    found = refused(f"COPY INTO T FROM @ST FILE_FORMAT = (TYPE = CSV {options})")
    assert found[0] == code
    assert found[2].startswith(f"{message}\n  File 'a.csv', line {line}, character {character}\n  Row ")
    assert (f'column "T"["{column}":' in found[2]) is (column is not None)


def test_invalid_bytes(run: Any, refused: Any, stage: Any) -> None:
    run("CREATE TABLE T (A VARCHAR)")
    stage("a.csv", b"ok\n\xff\n")
    assert refused("COPY INTO T FROM @ST")[:2] == (100144, "22000")
    stage("a.csv", b"not compressed")
    assert refused("COPY INTO T FROM @ST FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP)")[:2] == (
        100196,
        "22000",
    )


_VALUES = st.lists(
    st.lists(st.text(st.sampled_from('ab,"\\\n\r '), max_size=5), min_size=2, max_size=2), max_size=6
)


@given(rows=_VALUES)
@settings(max_examples=150, deadline=None)
def test_any_enclosed_text_comes_back(rows: list[list[str]]) -> None:
    form = read_format("CSV", {"FIELD_OPTIONALLY_ENCLOSED_BY": '"', "NULL_IF": []})
    quoted = [",".join('"' + value.replace('"', '""') + '"' for value in row) for row in rows]
    found = list(csv_reader.CsvReader("\n".join(quoted), form))
    assert [record.fields for record in found] == rows
    assert [record.text for record in found] == quoted


@given(text=st.text(st.sampled_from('ab,"\\\n\r '), max_size=30))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_to_its_end(text: str) -> None:
    form = read_format("CSV", {"FIELD_OPTIONALLY_ENCLOSED_BY": '"', "ESCAPE": "\\"})
    records = list(csv_reader.CsvReader(text, form))
    kept = re.sub(r"[\r\n]", "", "".join(record.text for record in records))
    assert kept == re.sub(r"[\r\n]", "", text)


# ----- by name, by list, by query


def test_csv_by_name(run: Any, refused: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT, B VARCHAR, C INT DEFAULT 7)")
    stage("a.csv", "b,a,z\nx,1,?\n")
    header = "FILE_FORMAT = (TYPE = CSV PARSE_HEADER = TRUE)"
    run(f"COPY INTO T FROM @ST {header} MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")
    assert run("SELECT * FROM T") == [(1, "x", 7)]
    assert (
        refused(f"COPY INTO T FROM @ST {header} FORCE = TRUE MATCH_BY_COLUMN_NAME = CASE_SENSITIVE")[0]
        == 1003
    )
    assert refused("COPY INTO T FROM @ST FORCE = TRUE MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")[0] == 1008


def test_a_list_of_columns_and_a_query(run: Any, stage: Any) -> None:
    run("CREATE TABLE T (A INT AUTOINCREMENT, B VARCHAR, C NUMBER(10,2))")
    stage("a.csv", "1.5,x\n2.5,y\n")
    run("COPY INTO T (C, B) FROM @ST")
    run("COPY INTO T (C, B) FROM (SELECT S.$1::FLOAT * 2, UPPER($2) FROM @ST S) FORCE = TRUE")
    assert run("COPY INTO T (C, B) FROM (SELECT $1, $2 FROM @ST)") == NOTHING
    assert sorted(run("SELECT * FROM T")) == [
        (1, "x", Decimal("1.50")), (2, "y", Decimal("2.50")), (3, "X", Decimal("3.00")), (4, "Y", Decimal("5.00"))
    ]  # fmt: skip


def test_parquet(run: Any, refused: Any, stage: Any, tmp_path: Path) -> None:
    table = pa.table({"a": [1, None], "B": ["x", "y"], "t": [b"p", b"q"], "more": [1, 2]})
    pq.write_table(table, tmp_path / "f.parquet")
    stage("f.parquet", (tmp_path / "f.parquet").read_bytes())
    run("CREATE TABLE T (A INT NOT NULL, B VARCHAR, T VARCHAR, D INT)")
    copy = "COPY INTO T FROM @ST FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
    assert refused(copy)[0] == 100072
    assert refused("COPY INTO T FROM @ST FILE_FORMAT = (TYPE = PARQUET)")[0] == 2019
    assert loaded(run(f"{copy} ON_ERROR = CONTINUE")) == [("st/f.parquet", "PARTIALLY_LOADED", 2, 1, 1)]
    assert run("SELECT * FROM T") == [(1, "x", "p", None)]


def test_a_stage_has_a_format(run: Any, stage: Any, refused: Any) -> None:
    run("CREATE TABLE T (A INT, B VARCHAR)")
    run("ALTER STAGE ST SET FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = '|')")
    stage("a.csv", "1|x\n")
    run("COPY INTO T FROM @ST")
    assert run("SELECT * FROM T") == [(1, "x")]
    assert run("SELECT $2, $1, $3 FROM @ST") == [("x", "1", None)]


REFUSED = [
    *(f"COPY INTO T FROM @ST {option}" for option in (
        "NONSENSE = TRUE", "TRUNCATECOLUMNS = TRUE", "ENFORCE_LENGTH = FALSE", "LOAD_MODE = FULL_INGEST",
        "INCLUDE_METADATA = (A = METADATA$FILENAME)", "FILE_FORMAT = (TYPE = JSON)", "FILE_FORMAT = (TYPE = AVRO)",
        "FILE_FORMAT = (TYPE = CSV NONSENSE = 1)", "FILE_FORMAT = (TYPE = CSV MULTI_LINE = FALSE)",
        "FILE_FORMAT = (TYPE = CSV DATE_FORMAT = 'DD.MM.YYYY')", "FILE_FORMAT = (TYPE = CSV VALIDATE_UTF8 = FALSE)",
        "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = FALSE)", "FILE_FORMAT = (TYPE = PARQUET TRIM_SPACE = TRUE)",
        "FILE_FORMAT = (TYPE = PARQUET NULL_IF = ('x'))",
    )),
    "CREATE FILE FORMAT N TYPE = CSV NONSENSE = 1",
    "CREATE FILE FORMAT N TYPE = JSON FIELD_DELIMITER = ','",
    "CREATE STAGE N COPY_OPTIONS = (ON_ERROR = CONTINUE)",
    "CREATE STAGE N FILE_FORMAT = (TYPE = CSV NONSENSE = 1)",
]  # fmt: skip
WRONG_VALUES = [
    f"COPY INTO T FROM @ST {option}"
    for option in (
        "ON_ERROR = SOMETIMES", "ON_ERROR = SKIP_FILE_0", "ON_ERROR = 'SKIP_FILE_101%'", "FORCE = 3", "PURGE = MAYBE",
        "SIZE_LIMIT = 0", "FILES = 'a.csv'", "MATCH_BY_COLUMN_NAME = SOMEHOW", "VALIDATION_MODE = RETURN_NOTHING",
        "FILE_FORMAT = (TYPE = NONSENSE)", "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = -1)",
        "FILE_FORMAT = (TYPE = CSV FIELD_OPTIONALLY_ENCLOSED_BY = 'ab')", "FILE_FORMAT = (TYPE = CSV ENCODING = 'x')",
        "FILE_FORMAT = (TYPE = CSV PARSE_HEADER = TRUE SKIP_HEADER = 1)",
        "FILE_FORMAT = (FORMAT_NAME = 'FF' SKIP_HEADER = 1)", "FILE_FORMAT = (TYPE = PARQUET COMPRESSION = RAR)",
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "code"), [*((one, 2) for one in REFUSED), *((one, 1008) for one in WRONG_VALUES)]
)
def test_no_option_is_ignored(run: Any, refused: Any, stage: Any, statement: str, code: int) -> None:
    run("CREATE TABLE T (A INT)")
    run("CREATE FILE FORMAT FF TYPE = CSV")
    stage("a.csv", "1\n")
    assert refused(statement)[0] == code
    assert run("SELECT COUNT(*) FROM T") == [(0,)]
    assert loaded(run("COPY INTO T FROM @ST")) == [("st/a.csv", "LOADED", 1, 1, 0)]


@pytest.mark.parametrize(
    ("target", "code"), [("V", 2203), ("DT", 2203), ("NOPE", 2003), ("INFORMATION_SCHEMA.TABLES", 2003)]
)
def test_only_tables_are_loaded(run: Any, refused: Any, stage: Any, target: str, code: int) -> None:
    run("CREATE VIEW V AS SELECT 1 AS A")
    run("CREATE DYNAMIC TABLE DT TARGET_LAG = '1 day' WAREHOUSE = W AS SELECT 1 AS A")
    stage("a.csv", "1\n")
    assert refused(f"COPY INTO {target} FROM @ST")[0] == code
    assert run("SELECT A FROM DT") == [(1,)]
