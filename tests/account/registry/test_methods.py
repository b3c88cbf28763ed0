"""Model methods in SQL: every place where a call may stand gives what the model itself gives."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snowflake.ml.model import custom_model
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from embedded_account.objects.model_calls import inline_aliases

CALL = "MODEL(M, V1)!PREDICT(F1, F2, F3)"
OUT = f"{CALL}:output_feature_0::FLOAT"


@pytest.fixture
def table(log: Any, session: Session, frame: pd.DataFrame) -> pd.DataFrame:
    """Table T with the rows of the frame and their number ID; model M, version V1."""
    log("V1")
    rows = frame.head(60).assign(ID=range(60))
    session.write_pandas(rows, "T", auto_create_table=True)
    return rows


QUERIES = [
    f"SELECT ID, {OUT} AS P FROM T",
    f"SELECT t.ID, {OUT} AS P FROM T AS t WHERE t.ID < 40",
    f"SELECT ID, P FROM (SELECT *, {CALL}['output_feature_0']::FLOAT AS P FROM T)",
    f"WITH C AS (SELECT * FROM T WHERE ID > 5) SELECT ID, {OUT} AS P FROM C",
    "WITH mv AS MODEL M VERSION V1 SELECT ID, mv!PREDICT(F1, F2, F3):output_feature_0::FLOAT AS P FROM T",
    "WITH C AS (SELECT * FROM T), mv AS MODEL M VERSION FIRST SELECT ID, mv!PREDICT(F1, F2, F3)"
    ":output_feature_0::FLOAT AS P FROM C",
    f"SELECT a.ID, {OUT.replace('F1', 'a.F1').replace('F2', 'b.F2').replace('F3', 'a.F3')} AS P "
    "FROM T AS a JOIN T AS b ON a.ID = b.ID",
    f"SELECT ID, P FROM (SELECT ID, {OUT} AS P FROM T QUALIFY ROW_NUMBER() OVER (ORDER BY ID) > 3)",
    f"SELECT ID, {OUT} AS P FROM T ORDER BY P DESC LIMIT 7",
    f"SELECT MIN(ID) AS ID, AVG({OUT}) AS P FROM T GROUP BY ID",
    f"SELECT ID, {OUT} AS P FROM T WHERE {OUT} > 1",
    "SELECT ID, MODEL(M)!PREDICT(F1, F2, F3):output_feature_0::FLOAT AS P FROM T",
    'SELECT ID, MODEL("M", "V1")!"PREDICT"(F1, F2, F3):output_feature_0::FLOAT AS P FROM T',
    f"SELECT ID, {OUT} + 0 AS P, {OUT} AS Q FROM T",
    f"SELECT X.ID, X.P FROM (SELECT T.*, {OUT} AS P FROM T) AS X",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_call_gives_what_the_model_gives(
    session: Session, table: pd.DataFrame, regressor: Any, query: str
) -> None:
    found = session.sql(query).to_pandas()
    rows = table.set_index("ID").loc[found["ID"].astype(int)]
    np.testing.assert_allclose(
        found["P"].astype(float), regressor.predict(rows[["F1", "F2", "F3"]]), rtol=1e-6
    )
    assert len(found) > 0


def test_star_keeps_the_relations_columns(session: Session, table: pd.DataFrame) -> None:
    found = session.sql(f"SELECT *, {CALL} AS P FROM T ORDER BY ID")
    assert found.columns == ["F1", "F2", "F3", "ID", "P"]
    pd.testing.assert_frame_equal(
        found.to_pandas()[["F1", "F2", "F3", "ID"]], table.reset_index(drop=True), check_dtype=False
    )
    assert session.sql(f"SELECT * EXCLUDE (F1), {CALL} AS P FROM T").columns == ["F2", "F3", "ID", "P"]


def test_nulls_and_no_rows(session: Session, table: pd.DataFrame, regressor: Any) -> None:
    (row,) = session.sql("SELECT MODEL(M, V1)!PREDICT(NULL, 0.5, 0.5):output_feature_0::FLOAT AS P").collect()
    expected = regressor.predict(pd.DataFrame({"F1": [np.nan], "F2": [0.5], "F3": [0.5]}))
    assert row["P"] == pytest.approx(expected[0])
    assert session.sql(f"SELECT {OUT} AS P FROM T WHERE FALSE").collect() == []


def test_a_model_call_inside_dml(session: Session, table: pd.DataFrame) -> None:
    session.sql("CREATE TABLE R (ID INT, P FLOAT)").collect()
    session.sql(f"INSERT INTO R SELECT ID, {OUT} FROM T").collect()
    session.sql(f"CREATE TABLE R2 AS SELECT ID, {OUT} AS P FROM T").collect()
    pd.testing.assert_frame_equal(
        session.table("R").sort("ID").to_pandas(), session.table("R2").sort("ID").to_pandas()
    )


ERRORS = [
    ("SELECT MODEL(NOPE, V1)!PREDICT(F1, F2, F3) FROM T", "Model '.*NOPE' does not exist"),
    ("SELECT MODEL(M, V9)!PREDICT(F1, F2, F3) FROM T", "Version 'V9' of model"),
    ("SELECT MODEL(M, V1)!NOPE(F1, F2, F3) FROM T", "Unknown function NOPE"),
    ("SELECT MODEL(M, V1)!PREDICT(F1) FROM T", "it takes 3"),
    ("SELECT mv!PREDICT(F1, F2, F3) FROM T", "Unknown model"),
    ("SELECT MODEL(M, V1)!PREDICT(F1, F2, NOPE) FROM T", "NOPE"),
    ("SELECT * FROM T, TABLE(MODEL(M, V1)!NOPE(F1))", "Unknown function NOPE"),
]


@pytest.mark.parametrize(("query", "message"), ERRORS)
def test_errors(session: Session, table: pd.DataFrame, query: str, message: str) -> None:
    with pytest.raises(SnowparkSQLException, match=message):
        session.sql(query).collect()


# ----- table functions


def test_a_table_function_joins_by_row(
    log: Any, session: Session, regressor: Any, frame: pd.DataFrame
) -> None:
    version = log("V1", options={"function_type": "TABLE_FUNCTION"})
    (function,) = version.show_functions()
    assert function["target_method_function_type"] == "TABLE_FUNCTION"
    found = version.run(frame, function_name="predict")
    np.testing.assert_allclose(found.iloc[:, 0].astype(float), regressor.predict(frame), rtol=1e-6)
    session.write_pandas(frame.assign(ID=range(len(frame))), "T", auto_create_table=True)
    rows = session.sql("SELECT * FROM T, TABLE(MODEL(M, V1)!PREDICT(F1, F2, F3)) WHERE ID < 9 ORDER BY ID")
    found = rows.to_pandas()
    np.testing.assert_allclose(found.iloc[:, -1].astype(float), regressor.predict(frame.head(9)), rtol=1e-6)
    with pytest.raises(SnowparkSQLException, match="is a table function"):
        session.sql("SELECT MODEL(M, V1)!PREDICT(F1, F2, F3) FROM T").collect()


def test_a_partitioned_model(log: Any, frame: pd.DataFrame) -> None:
    class Totals(custom_model.CustomModel):
        @custom_model.partitioned_api
        def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame({"total": [rows["F1"].sum()], "n": [len(rows)]})

    rows = frame.assign(PART=np.arange(len(frame)) % 3)
    version = log(
        "V1",
        Totals(custom_model.ModelContext()),
        sample_input_data=rows[["F1", "PART"]].head(9),
        options={"method_options": {"predict": {"function_type": "TABLE_FUNCTION"}}},
    )
    found = version.run(rows[["F1", "PART"]], function_name="predict", partition_column="PART")
    found = found.sort_values("PART").reset_index(drop=True)
    totals = rows.groupby("PART")["F1"].sum()
    assert found["PART"].astype(int).tolist() == [0, 1, 2]
    np.testing.assert_allclose(found["total"].astype(float), totals)


# ----- WITH … AS MODEL


ALIASES = [
    ("WITH b AS MODEL m SELECT b!P(1)", "SELECT MODEL(m)!P(1)"),
    (
        'WITH a AS (SELECT \',b AS MODEL x\'), b AS MODEL "D b".S.m VERSION "v 1", c AS MODEL N SELECT b!P(1), C!Q(2)',
        'WITH a AS (SELECT \',b AS MODEL x\') SELECT MODEL("D b".S.m, "v 1")!P(1), MODEL(N)!Q(2)',
    ),
    (
        "WITH b AS MODEL m, a AS (SELECT 1) SELECT b!P(1), 'b!P'",
        "WITH a AS (SELECT 1) SELECT MODEL(m)!P(1), 'b!P'",
    ),
]


@pytest.mark.parametrize(("text", "plain"), ALIASES)
def test_model_aliases(text: str, plain: str) -> None:
    assert "".join(inline_aliases(text).split()) == "".join(plain.split())


@given(st.text(alphabet="abMODELWITHAS ,()'\"!.$\n", max_size=60))
def test_other_text_stays_as_it_is(text: str) -> None:
    if "MODEL" not in text.upper():
        assert inline_aliases(text) == text
    else:
        inline_aliases(text)
