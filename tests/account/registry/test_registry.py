"""snowflake-ml's Registry, unmodified, against the account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from snowflake.ml.model import task
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException


def test_versions_default_and_aliases(registry: Registry, log: Any) -> None:
    first = log("V1", comment="first", metrics={"rmse": 0.1})
    second = log("V2")
    model = registry.get_model("M")
    assert (model.default.version_name, model.first().version_name, model.last().version_name) == (
        "V1",
        "V1",
        "V2",
    )
    model.default = "V2"
    first.set_alias("champion")
    assert model.version("CHAMPION").version_name == "V1"
    with pytest.raises(SnowparkSQLException, match="already in use"):
        second.set_alias("champion")
    shown = model.show_versions().set_index("name")
    assert {name: json.loads(text) for name, text in shown["aliases"].items()} == {
        "V1": ["FIRST", "CHAMPION"],
        "V2": ["DEFAULT", "LAST"],
    }
    assert shown["is_default_version"].to_dict() == {"V1": "false", "V2": "true"}
    assert shown["comment"].to_dict() == {"V1": "first", "V2": ""}
    assert json.loads(shown["metadata"]["V1"])["metrics"] == {"rmse": 0.1}
    (row,) = registry.show_models().to_dict("records")
    assert (row["name"], row["default_version_name"], json.loads(row["versions"])) == (
        "M",
        "V2",
        ["V1", "V2"],
    )
    assert json.loads(row["aliases"]) == {"FIRST": "V1", "CHAMPION": "V1", "DEFAULT": "V2", "LAST": "V2"}
    first.unset_alias("champion")
    with pytest.raises(Exception, match=r"(?i)champion"):
        model.version("champion")
    first.set_metric("by_day", {"monday": 1})
    assert first.show_metrics() == {"rmse": 0.1, "by_day": {"monday": 1}}
    first.comment, model.comment = "other", "of M"
    assert (first.comment, registry.get_model("M").comment) == ("other", "of M")
    assert first.get_model_task() == task.Task.TABULAR_REGRESSION
    with pytest.raises(ValueError, match="already existed"):
        log("V2")
    assert [m.name for m in registry.models()] == ["M"]


def test_a_version_is_named_when_none_is_given(registry: Registry, log: Any) -> None:
    version = log(None)
    assert registry.get_model("M").show_versions()["name"].tolist() == [version.version_name]


def test_tags(registry: Registry, log: Any, session: Session, database: str) -> None:
    log("V1")
    session.sql(f"CREATE TAG {database}.S.STAGE_TAG").collect()
    model = registry.get_model("M")
    model.set_tag("STAGE_TAG", "live")
    assert model.show_tags() == {f"{database}.S.STAGE_TAG": "live"}
    assert model.get_tag("STAGE_TAG") == "live"
    model.rename("N")
    assert registry.get_model("N").get_tag("STAGE_TAG") == "live"
    registry.get_model("N").unset_tag("STAGE_TAG")
    assert registry.get_model("N").show_tags() == {}


def test_deleting(registry: Registry, log: Any, account_server: Any, database: str) -> None:
    log("V1")
    log("V2")
    model = registry.get_model("M")
    folder = account_server.data / "files" / database
    assert len(list(folder.iterdir())) == 2
    with pytest.raises(SnowparkSQLException, match="Cannot drop the default version"):
        model.delete_version("V1")
    model.delete_version("V2")
    assert model.show_versions()["name"].tolist() == ["V1"]
    assert len(list(folder.iterdir())) == 1
    registry.delete_model("M")
    assert registry.show_models().empty
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("rows", [1, 500])
def test_run_on_pandas(log: Any, regressor: Any, frame: pd.DataFrame, rows: int) -> None:
    version = log("V1")
    found = version.run(frame.head(rows), function_name="predict")
    assert found.columns.tolist() == ["output_feature_0"]
    np.testing.assert_allclose(found["output_feature_0"], regressor.predict(frame.head(rows)), rtol=1e-6)


def test_run_on_a_snowpark_frame(log: Any, session: Session, regressor: Any, frame: pd.DataFrame) -> None:
    version = log("V1")
    table = session.write_pandas(frame, "INPUT", auto_create_table=True)
    version.run(table.filter("F1 > 0.5"), function_name="predict").write.save_as_table("PREDICTIONS")
    found = session.table("PREDICTIONS").to_pandas()
    assert found.columns.tolist() == ["F1", "F2", "F3", "output_feature_0"]
    assert len(found) == (frame["F1"] > 0.5).sum()
    np.testing.assert_allclose(
        found["output_feature_0"], regressor.predict(found[["F1", "F2", "F3"]]), rtol=1e-6
    )


@pytest.mark.filterwarnings("ignore:Loading:RuntimeWarning")
def test_load_and_export(log: Any, regressor: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    version = log("V1")
    loaded = version.load(force=True)
    np.testing.assert_array_equal(loaded.predict(frame), regressor.predict(frame))
    version.export(str(tmp_path))
    assert (tmp_path / "model" / "model.yaml").is_file()


def test_copies_between_schemas(
    registry: Registry, log: Any, session: Session, database: str, regressor: Any, frame: pd.DataFrame
) -> None:
    log("V1", comment="c", metrics={"mae": 1})
    log("V2").set_alias("live")
    session.sql("CREATE SCHEMA PROD").collect()
    session.sql("CREATE MODEL PROD.M WITH VERSION V1 FROM MODEL S.M VERSION V1").collect()
    session.sql("ALTER MODEL PROD.M ADD VERSION W FROM MODEL S.M VERSION LIVE").collect()
    registry.delete_model("M")
    copy = Registry(session, database_name=database, schema_name="PROD").get_model("M")
    assert (copy.default.version_name, copy.last().version_name) == ("V1", "W")
    assert (copy.version("V1").comment, copy.version("V1").show_metrics()) == ("c", {"mae": 1})
    assert json.loads(copy.show_versions().set_index("name")["aliases"]["W"]) == ["LAST"]
    found = copy.version("W").run(frame, function_name="predict")
    np.testing.assert_allclose(found["output_feature_0"], regressor.predict(frame), rtol=1e-6)


def test_a_pipeline_with_text_and_nulls(log: Any, session: Session) -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"CITY": rng.choice(["a'b", "ü", "c"], 300), "N": rng.integers(0, 9, 300)})
    rows["V"] = rng.random(300)
    encoder = make_column_transformer((OneHotEncoder(), ["CITY"]), remainder="passthrough")
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(rows, rows["N"] > 4)
    version = log("V1", pipeline, model_name="P", sample_input_data=rows.head(50))
    names = {f["name"] for f in version.show_functions()}
    assert names == {"DECISION_FUNCTION", "PREDICT", "PREDICT_LOG_PROBA", "PREDICT_PROBA"}
    labels = version.run(rows, function_name="predict").iloc[:, 0]
    assert labels.tolist() == pipeline.predict(rows).tolist()
    chances = version.run(rows, function_name="predict_proba")
    np.testing.assert_allclose(chances.to_numpy(float), pipeline.predict_proba(rows), rtol=1e-6)


def test_a_models_own_error(log: Any, session: Session, frame: pd.DataFrame) -> None:
    version = log("V1")
    session.sql("CREATE TABLE BAD AS SELECT 'x' AS F1, 'y' AS F2, 'z' AS F3").collect()
    with pytest.raises(SnowparkSQLException, match="x"):
        session.sql("SELECT MODEL(M, V1)!PREDICT(F1, F2, F3) FROM BAD").collect()
    assert version.run(frame.head(2), function_name="predict").shape == (2, 1)
