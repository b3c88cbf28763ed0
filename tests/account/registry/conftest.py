"""A Snowpark session, a Registry and one model trained once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session

COLUMNS = ["F1", "F2", "F3"]


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(3).random((500, 3)), columns=COLUMNS)


@pytest.fixture(scope="session")
def regressor(frame: pd.DataFrame) -> xgboost.XGBRegressor:
    return xgboost.XGBRegressor(n_estimators=20, max_depth=3).fit(frame, frame["F1"] * 3 + frame["F2"])


@pytest.fixture
def session(account_server: Any, database: str) -> Iterator[Session]:
    parameters = {**account_server.parameters, "database": database, "schema": "S", "warehouse": "WH"}
    session = Session.builder.configs(parameters).create()
    yield session
    session.close()


@pytest.fixture
def registry(session: Session, database: str) -> Registry:
    return Registry(session, database_name=database, schema_name="S")


@pytest.fixture
def log(registry: Registry, regressor: Any, frame: pd.DataFrame) -> Any:
    """Logs the regressor as a version of model M."""

    def make(version: str, model: Any = None, **more: Any) -> Any:
        options = {"relax_version": False, "enable_explainability": False, **more.pop("options", {})}
        return registry.log_model(
            regressor if model is None else model,
            model_name=more.pop("model_name", "M"),
            version_name=version,
            sample_input_data=more.pop("sample_input_data", frame.head(20)),
            options=options,
            **more,
        )

    return make
