"""snowflake-ml's FeatureStore, unmodified, against the account."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from snowflake.ml.dataset import Dataset
from snowflake.ml.feature_store import CreationMode, Entity, Feature, FeatureStore, FeatureView
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from .conftest import feature_view

SPINE = [(1, "2024-01-10", 1.0), (2, "2024-02-01", 0.0), (3, "2023-12-31", 0.5), (29, "2024-03-15", 2.0)]


def spine(session: Session) -> Any:
    frame = session.create_dataframe(SPINE, schema=["PUDO_ID", "D", "LABEL"])
    return frame.select_expr("PUDO_ID", "to_date(D) AS TS", "LABEL")


def expected(fill: pd.DataFrame, name: str) -> pd.DataFrame:
    """The training set by pandas: the newest features at or before each moment of the spine."""
    fill = fill.assign(DATE=pd.to_datetime(fill["DATE"])).sort_values("DATE")
    groups = fill.groupby("PUDO_ID")["FILL_RATE"]
    fill[f"AVG7_{name}"] = groups.transform(lambda rates: rates.rolling(7, min_periods=1).mean())
    fill[f"LAG1_{name}"] = groups.shift()
    left = pd.DataFrame(SPINE, columns=["PUDO_ID", "TS", "LABEL"])
    left["TS"] = pd.to_datetime(left["TS"])
    joined = pd.merge_asof(
        left.sort_values("TS"),
        fill.drop(columns="FILL_RATE"),
        left_on="TS",
        right_on="DATE",
        by="PUDO_ID",
    )
    return joined.drop(columns="DATE").sort_values("PUDO_ID").reset_index(drop=True)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.assign(TS=pd.to_datetime(frame["TS"])).sort_values("PUDO_ID").reset_index(drop=True)
    return frame.astype({"PUDO_ID": "int64", "LABEL": "float64"})


def test_entities(store: FeatureStore, entity: Entity, session: Session, database: str) -> None:
    store.register_entity(Entity("CITY", ["CITY_ID", "COUNTRY"], desc="a city"))
    rows = store.list_entities().order_by("NAME").collect()
    assert [(r["NAME"], json.loads(r["JOIN_KEYS"]), r["DESC"], r["OWNER"]) for r in rows] == [
        ("CITY", ["CITY_ID", "COUNTRY"], "a city", "ACCOUNTADMIN"),
        ("PUDO", ["PUDO_ID"], "pick up, drop off", "ACCOUNTADMIN"),
    ]
    store.update_entity("CITY", desc="another")
    assert store.get_entity("CITY").desc == "another"
    store.delete_entity("CITY")
    assert [r["NAME"] for r in store.list_entities().collect()] == ["PUDO"]
    # A second store over the same schema finds what the first one made.
    again = FeatureStore(session, database, "FS", "WH", creation_mode=CreationMode.FAIL_IF_NOT_EXIST)
    assert again.get_entity("PUDO").join_keys == entity.join_keys
    with pytest.raises(ValueError, match="Cannot find Entity"):
        store.get_entity("NOPE")
    with pytest.raises(ValueError, match=r"not exist|not found"):
        FeatureStore(session, database, "NOPE", "WH", creation_mode=CreationMode.FAIL_IF_NOT_EXIST)


def test_feature_views(store: FeatureStore, entity: Entity, session: Session, source: str) -> None:
    kept = store.register_feature_view(feature_view(session, entity, source, "D", "1 day"), "V1")
    view = store.register_feature_view(feature_view(session, entity, source, "V"), "V1")
    assert (kept.status.value, kept.refresh_freq, kept.refresh_mode) == ("ACTIVE", "1 day", "FULL")
    assert (view.status.value, view.refresh_freq) == ("STATIC", None)
    rows = store.list_feature_views().order_by("NAME").collect()
    assert [(r["NAME"], r["VERSION"], r["DESC"], json.loads(r["ENTITIES"])) for r in rows] == [
        ("FV_D", "V1", "it's D", ["PUDO"]),
        ("FV_V", "V1", "it's V", ["PUDO"]),
    ]
    found = store.get_feature_view("FV_D", "V1")
    assert found.feature_descs == {"AVG7_D": "mean of 7", "LAG1_D": ""}
    assert (found.desc, found.timestamp_col, found.warehouse) == ("it's D", "DATE", "WH")
    by_entity = store.list_feature_views(entity_name="PUDO").collect()
    assert sorted(r["NAME"] for r in by_entity) == ["FV_D", "FV_V"]
    assert store.read_feature_view(view).count() == store.read_feature_view(kept).count() > 600
    with pytest.raises(ValueError, match=r"active"):
        store.delete_entity("PUDO")
    for one in (kept, view):
        store.delete_feature_view(one)
    assert store.list_feature_views().collect() == []


def test_suspend_refresh_and_history(
    store: FeatureStore, entity: Entity, session: Session, source: str
) -> None:
    view = store.register_feature_view(feature_view(session, entity, source, "D", "1 day"), "V1")
    assert store.suspend_feature_view(view).status.value == "SUSPENDED"
    view = store.resume_feature_view(view)
    assert view.status.value == "ACTIVE"
    before = store.read_feature_view(view).count()
    session.sql(f"INSERT INTO {source} SELECT 99, '2024-05-01'::DATE, 0.5").collect()
    assert store.read_feature_view(view).count() == before
    store.refresh_feature_view(view)
    assert store.read_feature_view(view).count() == before + 1
    history = store.get_refresh_history(view, verbose=True).order_by("REFRESH_START_TIME").collect()
    assert [(r["STATE"], r["REFRESH_ACTION"], r["REFRESH_TRIGGER"]) for r in history] == [
        ("SUCCEEDED", "FULL", "CREATION"),
        ("SUCCEEDED", "FULL", "MANUAL"),
    ]
    changed = store.update_feature_view("FV_D", "V1", refresh_freq="2 days", desc="new")
    assert (changed.refresh_freq, changed.desc) == ("2 days", "new")


def test_overwrite_and_cron(store: FeatureStore, entity: Entity, session: Session, source: str) -> None:
    cron = "0 0 * * * America/Los_Angeles"
    for name in ("C", "C"):
        view = feature_view(session, entity, source, name, cron)
        registered = store.register_feature_view(view, "V1", overwrite=True)
        assert registered.refresh_freq in ("DOWNSTREAM", cron)
    tasks = session.sql("SHOW TASKS IN SCHEMA FS").collect()
    assert [(t["name"], t["schedule"], t["state"]) for t in tasks] == [
        ("FV_C$V1", f"USING CRON {cron}", "started")
    ]
    assert len(store.get_refresh_history(store.get_feature_view("FV_C", "V1")).collect()) == 2


def test_tiled_aggregations(store: FeatureStore, entity: Entity, session: Session, source: str) -> None:
    frame = session.sql(f"SELECT PUDO_ID, DATE::TIMESTAMP_NTZ AS DATE, FILL_RATE FROM {source}")
    view = FeatureView(
        "FV_T",
        [entity],
        frame,
        timestamp_col="DATE",
        refresh_freq="1 day",
        feature_granularity="1d",
        features=[Feature.sum("FILL_RATE", "3d").alias("S3"), Feature.count("FILL_RATE", "3d").alias("C3")],
    )
    registered = store.register_feature_view(view, "V1")
    rows = spine(session).select_expr("PUDO_ID", "TS::TIMESTAMP_NTZ AS TS", "LABEL")
    found = store.generate_training_set(
        rows, [registered], spine_timestamp_col="TS", spine_label_cols=["LABEL"], join_method="cte"
    ).to_pandas()
    fill = session.table(source).to_pandas()
    moments = pd.to_datetime(fill["DATE"])
    for _, row in found.iterrows():
        end = pd.Timestamp(row["TS"])
        inside = (fill["PUDO_ID"] == row["PUDO_ID"]) & (moments < end) & (moments >= end - pd.Timedelta("3d"))
        assert (row["C3"] or 0) == inside.sum()
        assert (row["S3"] or 0.0) == pytest.approx(fill["FILL_RATE"][inside].sum())


@pytest.mark.parametrize("join_method", ["sequential", "cte"])
@pytest.mark.parametrize("refresh", [None, "1 day"])
def test_training_set_is_an_asof_join(
    store: FeatureStore,
    entity: Entity,
    session: Session,
    source: str,
    fill: pd.DataFrame,
    refresh: str | None,
    join_method: Any,
) -> None:
    view = store.register_feature_view(feature_view(session, entity, source, "X", refresh), "V1")
    found = store.generate_training_set(
        spine(session),
        [view],
        spine_timestamp_col="TS",
        spine_label_cols=["LABEL"],
        join_method=join_method,
    ).to_pandas()
    pd.testing.assert_frame_equal(plain(found), expected(fill, "X"), check_dtype=False)


def test_training_set_as_a_table(store: FeatureStore, entity: Entity, session: Session, source: str) -> None:
    views = [
        store.register_feature_view(feature_view(session, entity, source, name, refresh), "V1")
        for name, refresh in (("V", None), ("D", "1 day"))
    ]
    store.generate_training_set(
        spine(session),
        [views[0], views[1].slice(["LAG1_D"])],
        save_as="TRAIN",
        spine_timestamp_col="TS",
        spine_label_cols=["LABEL"],
        include_feature_view_timestamp_col=True,
    )
    table = session.table("FS.TRAIN")
    assert [(f.name, f.datatype.typeName()) for f in table.schema.fields] == [
        ("PUDO_ID", "long"),
        ("TS", "date"),
        ("LABEL", "double"),
        ("FV_V_V1_DATE", "date"),
        ("AVG7_V", "double"),
        ("LAG1_V", "double"),
        ("FV_D_V1_DATE", "date"),
        ("LAG1_D", "double"),
    ]
    assert table.count() == len(SPINE)


def test_dataset_of_features(
    store: FeatureStore, entity: Entity, session: Session, source: str, fill: pd.DataFrame
) -> None:
    view = store.register_feature_view(feature_view(session, entity, source, "X", "1 day"), "V1")

    def generate(version: str) -> Dataset:
        return store.generate_dataset(
            "DS",
            spine(session),
            [view],
            version=version,
            spine_timestamp_col="TS",
            spine_label_cols=["LABEL"],
            desc="a data set",
        )

    made = generate("v1")
    pd.testing.assert_frame_equal(plain(made.read.to_pandas()), expected(fill, "X"), check_dtype=False)
    with pytest.raises(Exception, match="already exists"):
        generate("v1")
    # What the sources become later changes nothing in a version.
    session.sql(f"DELETE FROM {source}").collect()
    store.refresh_feature_view(view)
    loaded = Dataset.load(session, "FS.DS").select_version("v1")
    pd.testing.assert_frame_equal(plain(loaded.read.to_pandas()), expected(fill, "X"), check_dtype=False)
    frame = loaded.read.to_snowpark_dataframe().to_pandas()
    pd.testing.assert_frame_equal(plain(frame), expected(fill, "X"), check_dtype=False)
    assert loaded.selected_version is not None
    assert (loaded.selected_version.comment, loaded.selected_version.label_cols) == ("a data set", ["LABEL"])
    assert [v.name for v in store.load_feature_views_from_dataset(loaded)] == ["FV_X"]
    generate("v2")
    assert loaded.list_versions() == ["v1", "v2"]


def test_online_feature_tables_are_refused(
    store: FeatureStore, entity: Entity, session: Session, source: str
) -> None:
    assert session.sql("SHOW ONLINE FEATURE TABLES IN SCHEMA FS").collect() == []
    with pytest.raises(SnowparkSQLException, match="Unsupported feature 'CREATE ONLINE"):
        session.sql(
            "CREATE ONLINE FEATURE TABLE FS.X PRIMARY KEY (A) TARGET_LAG = '1 minute' WAREHOUSE = WH FROM T"
        ).collect()
