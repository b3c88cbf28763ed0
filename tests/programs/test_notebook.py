"""The README's own block, as the first cell of a notebook; the cells below are what a notebook goes on with."""

from __future__ import annotations

import re
from typing import Any

from tests.account.conftest import AccountServer
from tests.programs.environments import HERE

README = HERE.parent.parent / "README.md"
CELLS = (
    """
for text in ("CREATE WAREHOUSE IF NOT EXISTS WH", "CREATE OR REPLACE DATABASE NOTEBOOK", "USE WAREHOUSE WH",
             "CREATE SCHEMA FEATURES", "CREATE SCHEMA MODELS", "USE SCHEMA NOTEBOOK.PUBLIC"):
    session.sql(text).collect()
frame = session.create_dataframe([(1, 10.0), (2, 20.0), (3, 30.0)], schema=["POINT", "LOAD"])
frame.write.save_as_table("LOADS")
loads = session.table("LOADS").filter("LOAD > 10").to_pandas()
""",
    """
from snowflake.ml.feature_store import CreationMode, Entity, FeatureStore, FeatureView
store = FeatureStore(
    session, "NOTEBOOK", "FEATURES", default_warehouse="WH", creation_mode=CreationMode.CREATE_IF_NOT_EXIST)
store.register_entity(Entity("POINT", join_keys=["POINT"]))
view = store.register_feature_view(
    FeatureView("LOADS", [store.get_entity("POINT")], session.table("LOADS"), desc="Loads of points"), "V1")
training = store.generate_training_set(session.create_dataframe([(2,), (3,)], schema=["POINT"]), [view]).to_pandas()
""",
    """
from sklearn.linear_model import LinearRegression
fitted = LinearRegression().fit(training[["POINT"]], training["LOAD"])
registry = Registry(session, database_name="NOTEBOOK", schema_name="MODELS")
version = registry.log_model(fitted, model_name="LOAD", version_name="V1", sample_input_data=training[["POINT"]],
                             target_platforms=["WAREHOUSE"])
predicted = version.run(training[["POINT"]], function_name="predict")
""",
)


def first_cell(account: AccountServer) -> str:
    """The block of the README, its port that of the account here."""
    (block,) = [
        found for found in re.findall(r"```python\n(.*?)```", README.read_text(), re.S) if "Session" in found
    ]
    assert '"port": 8124' in block
    return str(block).replace('"port": 8124', f'"port": {account.connection["port"]}')


def test_the_cells_run_in_order(account_server: AccountServer) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate((first_cell(account_server), *CELLS), 1):
        exec(compile(cell, f"cell {number}", "exec"), names)
    try:
        assert names["loads"]["LOAD"].tolist() == [20.0, 30.0]
        assert sorted(names["training"]["LOAD"]) == [20.0, 30.0]
        predicted = names["predicted"].iloc[:, -1].tolist()
        assert [round(value, 6) for value in predicted] == names["training"]["LOAD"].tolist()
        assert [model.name for model in names["registry"].models()] == ["LOAD"]
    finally:
        names["session"].close()
