"""Functions and table functions over rows."""

from __future__ import annotations

import datetime as dt
import textwrap
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from snowflake.snowpark._internal.udf_utils import generate_python_code
from snowflake.snowpark._internal.utils import TempObjectType

from embedded_account.compute import ComputePool, FunctionJob, Outcome, TableFunctionJob


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
