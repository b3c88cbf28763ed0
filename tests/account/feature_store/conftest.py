"""A Snowpark session in the fresh database, with rows to make features of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from snowflake.ml.feature_store import CreationMode, Entity, FeatureStore, FeatureView
from snowflake.snowpark import Session

FEATURES = (
    "SELECT PUDO_ID, DATE, AVG(FILL_RATE) OVER (PARTITION BY PUDO_ID ORDER BY DATE ROWS BETWEEN 6 PRECEDING "
    "AND CURRENT ROW) AS {a}, LAG(FILL_RATE) OVER (PARTITION BY PUDO_ID ORDER BY DATE) AS {b} FROM {table}"
)


@pytest.fixture
def fill() -> pd.DataFrame:
    """30 PUDOs over 40 days with gaps, so that an ASOF join has something to look back for."""
    rng = np.random.default_rng(11)
    days = pd.date_range("2024-01-01", periods=40)
    frame = pd.MultiIndex.from_product([range(30), days], names=["PUDO_ID", "DATE"]).to_frame(index=False)
    frame["FILL_RATE"] = rng.random(len(frame))
    kept = frame[rng.random(len(frame)) < 0.6].reset_index(drop=True)
    kept["DATE"] = kept["DATE"].dt.date
    return kept


@pytest.fixture
def session(account_server: Any, database: str) -> Iterator[Session]:
    parameters = {**account_server.parameters, "database": database, "schema": "S", "warehouse": "WH"}
    session = Session.builder.configs(parameters).create()
    yield session
    session.close()


@pytest.fixture
def source(session: Session, database: str, fill: pd.DataFrame) -> str:
    """The name of the table of fill rates."""
    session.sql(f"CREATE TABLE {database}.S.FILL (PUDO_ID INT, DATE DATE, FILL_RATE FLOAT)").collect()
    session.write_pandas(fill, "FILL", database=database, schema="S")
    return f"{database}.S.FILL"


@pytest.fixture
def store(session: Session, database: str) -> FeatureStore:
    return FeatureStore(session, database, "FS", "WH", creation_mode=CreationMode.CREATE_IF_NOT_EXIST)


@pytest.fixture
def entity(store: FeatureStore) -> Entity:
    entity = Entity("PUDO", ["PUDO_ID"], desc="pick up, drop off")
    store.register_entity(entity)
    return entity


def feature_view(
    session: Session, entity: Entity, source: str, name: str, refresh: str | None = None
) -> FeatureView:
    """Features AVG7_<name> and LAG1_<name>; kept in a dynamic table with `refresh`, else a view."""
    frame = session.sql(FEATURES.format(a=f"AVG7_{name}", b=f"LAG1_{name}", table=source))
    view = FeatureView(
        f"FV_{name}", [entity], frame, timestamp_col="DATE", refresh_freq=refresh, desc=f"it's {name}"
    )
    return view.attach_feature_desc({f"AVG7_{name}": "mean of 7"})
