"""Functions and table functions over rows."""

from __future__ import annotations

import datetime as dt
import sys
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from snowflake.snowpark._internal.udf_utils import generate_python_code
from snowflake.snowpark._internal.utils import TempObjectType

from embedded_account import loaded
from embedded_account.account import Account
from embedded_account.compute import ComputePool, FunctionJob, Outcome, TableFunctionJob
from embedded_account.errors import SnowflakeError
from embedded_account.objects.routines import read_routine
from embedded_account.parse.cursor import Cursor
from embedded_account.session import Session
from embedded_account.statements import execute

assert loaded


def apply(
    pool: ComputePool, source: str, table: pa.Table, types: list[str], returns: str, **job: Any
) -> Outcome:
    source = textwrap.dedent(source)
    return pool.run(
        FunctionJob(
            table=table, argument_types=types, returns=returns, source=source, **{"handler": "f", **job}
        ),
        60,
    )


def column(outcome: Outcome) -> list[Any]:
    assert outcome.error is None, str(outcome.error)
    assert outcome.table is not None
    assert outcome.table.column_names == ["RESULT"]
    return outcome.table.column(0).to_pylist()


def test_scalar_function_over_every_type(pool: ComputePool) -> None:
    moment = dt.datetime(2026, 2, 3, 4, 5, 6)
    table = pa.table(
        {
            "n": pa.array([Decimal(1), None], pa.decimal128(38, 0)),
            "d": pa.array([Decimal("2.50"), None], pa.decimal128(9, 2)),
            "f": pa.array([1.5, None]),
            "s": pa.array(["a", None]),
            "b": pa.array([True, None]),
            "t": pa.array([moment, None], pa.timestamp("us")),
            "v": pa.array(['{"k": [1]}', None]),
            "x": pa.array([b"\x01", None]),
        }
    )
    types = ["NUMBER(38,0)", "NUMBER(9,2)", "FLOAT", "TEXT", "BOOLEAN", "TIMESTAMP_NTZ", "VARIANT", "BINARY"]
    outcome = apply(pool, "def f(*row): return repr(row)", table, types, "TEXT")
    assert column(outcome) == [
        repr((1, Decimal("2.50"), 1.5, "a", True, moment, {"k": [1]}, b"\x01")),
        repr((None,) * 8),
    ]


@pytest.mark.parametrize(
    ("returns", "expression", "type_", "expected"),
    [
        ("INT", "a", pa.int64(), [1, 2, None]),
        ("NUMBER(38,0)", "a and a * 10 ** 20", pa.decimal128(38, 0), [10**20, 2 * 10**20, None]),
        ("NUMBER(6,2)", "a and a / 4", pa.decimal128(6, 2), [Decimal("0.25"), Decimal("0.50"), None]),
        ("FLOAT", "a", pa.float64(), [1.0, 2.0, None]),
        ("BOOLEAN", "a == 1", pa.bool_(), [True, False, False]),
        ("VARIANT", "a and {'a': a}", pa.string(), ['{"a": 1}', '{"a": 2}', None]),
    ],
)
def test_results_have_the_sql_types_arrow_type(
    pool: ComputePool, returns: str, expression: str, type_: pa.DataType, expected: list[Any]
) -> None:
    outcome = apply(pool, f"def f(a): return {expression}", pa.table({"a": [1, 2, None]}), ["INT"], returns)
    assert column(outcome) == expected
    assert outcome.table is not None
    assert outcome.table.column(0).type == type_


def test_no_arguments_and_no_rows(pool: ComputePool) -> None:
    table = pa.table({"": pa.nulls(3)}).select([])
    assert column(apply(pool, "def f(): return 7", pa.table({"a": []}), [], "INT")) == []
    assert table.num_columns == 0
    empty = pa.table({"a": pa.array([], pa.int64())})
    assert column(apply(pool, "def f(a): return a", empty, ["INT"], "TEXT")) == []


def test_vectorized_function_in_batches(pool: ComputePool) -> None:
    source = """
        import pandas as pd
        from _snowflake import vectorized
        @vectorized(input=pd.DataFrame, max_batch_size=4)
        def f(df):
            return df[0] * 100 + len(df) + df[1].isna()
    """
    table = pa.table({"a": list(range(10)), "b": ["x", None] * 5})
    outcome = apply(pool, source, table, ["INT", "TEXT"], "INT", packages=["pandas"])
    assert column(outcome) == [n * 100 + (4 if n < 8 else 2) + n % 2 for n in range(10)]


def test_vectorized_function_must_answer_each_row(pool: ComputePool) -> None:
    outcome = apply(pool, "def f(df): return [1]", pa.table({"a": [1, 2]}), ["INT"], "INT", vectorized=True)
    assert outcome.error is not None
    assert "1 values for 2 rows" in outcome.error.message


def test_pandas_function_as_snowpark_sends_it(pool: ComputePool) -> None:
    def add(left: pd.Series, right: pd.Series) -> pd.Series:
        return left + right

    code = generate_python_code(add, ["a", "b"], TempObjectType.FUNCTION, True, False, max_batch_size=2)
    table = pa.table({"a": [1.0, 2.0, None], "b": [10, 20, 30]})
    outcome = apply(
        pool, code, table, ["FLOAT", "INT"], "FLOAT", handler="compute", packages=["pandas", "cloudpickle"]
    )
    first, second, third = column(outcome)
    assert (first, second, pd.isna(third)) == (11.0, 22.0, True)


WORDS = """
class F:
    def __init__(self):
        self.count = 0
    def process(self, text):
        for word in (text or "").split():
            self.count += 1
            yield word, len(word)
    def end_partition(self):
        yield "total", self.count
"""


def test_table_function_by_partition(pool: ComputePool) -> None:
    table = pa.table({"t": ["a bb", "c", None, "dd e f"]})
    job = TableFunctionJob(
        "F", table, ["TEXT"], [("WORD", "TEXT"), ("SIZE", "INT")], partitions=[1, 0, 1, 0], source=WORDS
    )
    outcome = pool.run(job, 60)
    assert outcome.error is None, str(outcome.error)
    assert outcome.table is not None
    assert outcome.table.column_names == ["_ROW", "WORD", "SIZE"]
    assert [tuple(row.values()) for row in outcome.table.to_pylist()] == [
        (1, "c", 1),
        (3, "dd", 2),
        (3, "e", 1),
        (3, "f", 1),
        (None, "total", 4),
        (0, "a", 1),
        (0, "bb", 2),
        (None, "total", 2),
    ]


def test_vectorized_table_function(pool: ComputePool) -> None:
    source = """
import pandas as pd
from _snowflake import vectorized
class F:
    @vectorized(input=pd.DataFrame)
    def end_partition(self, df):
        return pd.DataFrame({"k": [df[0].iloc[0]], "s": [df[1].sum()]})
"""
    table = pa.table({"k": ["x", "y", "x"], "v": [1, 2, 3]})
    job = TableFunctionJob(
        "F",
        table,
        ["TEXT", "INT"],
        [("KEY", "TEXT"), ("TOTAL", "FLOAT")],
        partitions=[0, 1, 0],
        source=source,
        packages=["pandas"],
    )
    outcome = pool.run(job, 60)
    assert outcome.error is None, str(outcome.error)
    assert outcome.table is not None
    assert outcome.table.to_pylist() == [
        {"_ROW": None, "KEY": "x", "TOTAL": 4.0},
        {"_ROW": None, "KEY": "y", "TOTAL": 2.0},
    ]


NO_ARGUMENTS = """
    create function {name}() returns int language python runtime_version=3.11 packages=('pandas') handler='f' as $$
import pandas as pd
from _snowflake import vectorized
{body}
$$"""
BODIES = {
    "Z": "def f(): return 7",
    "V": "@vectorized(input=pd.DataFrame)\ndef f(df): return pd.Series([7] * len(df))",
}


@pytest.fixture(scope="module")
def session(pool: ComputePool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    account = Account(tmp_path_factory.mktemp("account"))
    account.compute = pool
    session = Session(account)
    execute(session, "create warehouse w")
    execute(session, "create database d")
    for name, body in BODIES.items():
        execute(session, NO_ARGUMENTS.format(name=name, body=body))
    yield session
    account.close()


@pytest.mark.parametrize("name", sorted(BODIES))
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select {}()", [(7,)]),
        ("select {}() from values (1), (2), (3)", [(7,), (7,), (7,)]),
        ("select column1 from values (1), (2) where {}() = 8", []),
        ("select {}() where false", []),
        ("select {}() + column1, {}() from values (1), (2) order by 1", [(8, 7), (9, 7)]),
    ],
)
def test_functions_without_arguments(
    session: Session, name: str, query: str, expected: list[tuple[int, ...]]
) -> None:
    assert execute(session, query.replace("{}", name)).rows() == expected


def test_a_vectorized_function_that_lets_no_row_through(session: Session) -> None:
    body = "@vectorized(input=pd.DataFrame)\ndef f(df): return df[0] > 100"
    text = (
        NO_ARGUMENTS.format(name="W", body=body)
        .replace("W()", "W(a int)")
        .replace("returns int", "returns boolean")
    )
    execute(session, text)
    for query in ("select column1 from values (1), (2) where w(column1)",
                  "select w(column1) from values (1), (2) where column1 > 2"):  # fmt: skip
        assert execute(session, query).rows() == []


def test_arguments_left_out_have_their_defaults(session: Session) -> None:
    execute(
        session,
        "create function plus(a int, b int default 2 + 3) returns int language python runtime_version = '3.11' "
        "handler = 'f' as 'def f(a, b): return a + b'",
    )
    assert execute(session, "select plus(1), plus(1, 1)").rows() == [(6, 2)]


DEFINITIONS = {
    "function": "create or replace function r() returns int language python runtime_version = {} handler = 'f' "
    "as 'def f(): return 1'",
    "procedure": "create or replace procedure r() returns int language python runtime_version = {} handler = 'f' "
    "packages = ('snowflake-snowpark-python') as 'def f(session): return 1'",
    "anonymous": "with r as procedure() returns int language python runtime_version = {} handler = 'f' "
    "packages = ('snowflake-snowpark-python') as 'def f(session): return 1' call r()",
}
OTHER = "3.10" if sys.version_info[:2] != (3, 10) else "3.9"


@pytest.mark.parametrize("kind", sorted(DEFINITIONS))
@pytest.mark.parametrize(
    ("version", "code", "words"),
    [
        (OTHER, 2, f"'RUNTIME_VERSION = {OTHER} (this account runs "),
        (f"'{OTHER}'", 2, f"'RUNTIME_VERSION = {OTHER} (this account runs "),
        ("2.7", 1008, "invalid value [2.7] for parameter 'RUNTIME_VERSION'"),
        ("'newest'", 1008, "invalid value [newest] for parameter 'RUNTIME_VERSION'"),
    ],
)
def test_a_runtime_that_is_not_there_is_refused(
    session: Session, kind: str, version: str, code: int, words: str
) -> None:
    with pytest.raises(SnowflakeError) as caught:
        execute(session, DEFINITIONS[kind].format(version))
    assert caught.value.code == code
    assert words in caught.value.message


def test_a_runtime_is_kept_as_it_was_written() -> None:
    text = "x() returns int language python runtime_version = 3.10 handler = 'f' as ''"
    assert Cursor(text.split("python ")[1]).options(as_text=("RUNTIME_VERSION",))["RUNTIME_VERSION"] == "3.10"
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    cursor = Cursor(text.removeprefix("x").replace("3.10", own))
    assert read_routine("X", cursor).runtime_version == own
