"""Methods of models packaged by snowflake-ml itself, run through the handler files that it wrote."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from snowflake.ml._internal.platform_capabilities import PlatformCapabilities
from snowflake.ml.model import custom_model
from snowflake.ml.model._model_composer.model_manifest.model_manifest import ModelManifest
from snowflake.ml.model._packager.model_packager import ModelPackager
from snowflake.ml.model.target_platform import TargetPlatform

from embedded_account.compute import ComputePool, ModelMethodJob, Outcome

ROWS = 3000
COLUMNS = ["A", "B", "C"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(5).random((ROWS, 3)), columns=COLUMNS)


def package(path: Path, model: Any, sample: pd.DataFrame, **options: Any) -> Path:
    """What log_model uploads (model, handler files, manifest), made without a session."""
    path.mkdir()
    platforms = [TargetPlatform.WAREHOUSE]
    options = {"relax_version": False, "enable_explainability": False, **options}
    if isinstance(model, custom_model.CustomModel):
        del options["enable_explainability"]
    packager = ModelPackager(str(path / "model"))
    with PlatformCapabilities.mock_features({}):
        packager.save(
            name="m", model=model, sample_input_data=sample, target_platforms=platforms, options=options
        )
        ModelManifest(workspace_path=path).save(
            model_meta=packager.meta,
            model_rel_path=PurePosixPath("model"),
            options=options,
            target_platforms=platforms,
        )
    return path


@pytest.fixture(scope="module")
def regressor(frame: pd.DataFrame) -> xgboost.XGBRegressor:
    model = xgboost.XGBRegressor(n_estimators=20, max_depth=3)
    return model.fit(frame, frame["A"] * 3 + frame["B"])


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory, regressor: Any, frame: pd.DataFrame) -> Path:
    return package(tmp_path_factory.mktemp("models") / "v1", regressor, frame[:50])


@pytest.fixture
def own_pool() -> Iterator[ComputePool]:
    with ComputePool(warm_models=1) as pool:
        yield pool


def method(version: Path, frame: pd.DataFrame, **job: Any) -> ModelMethodJob:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return ModelMethodJob(version, **{"handler": "functions.predict.infer", "table": table, **job})


def rows(outcome: Outcome) -> pd.DataFrame:
    assert outcome.error is None, str(outcome.error)
    assert outcome.table is not None
    return outcome.table.to_pandas()


def test_predictions_equal_the_models_own(
    pool: ComputePool, version: Path, regressor: Any, frame: pd.DataFrame
) -> None:
    for size in (ROWS, 1, 0):
        part = frame[:size]
        found = rows(pool.run(method(version, part), 60))
        if size:
            assert found.columns.tolist() == ["output_feature_0"]
            np.testing.assert_array_equal(found["output_feature_0"], regressor.predict(part))
        else:
            assert found.empty


def test_a_repeated_call_meets_the_loaded_model(
    own_pool: ComputePool, version: Path, frame: pd.DataFrame
) -> None:
    job = method(version, frame[:10])
    first, second = (own_pool.run(job, 60) for _ in range(2))
    assert (first.details, second.details) == ({"warm": False}, {"warm": True})
    pd.testing.assert_frame_equal(rows(first), rows(second))
    # A version that changed on disk is another version.
    manifest = version / "MANIFEST.yml"
    os.utime(manifest, (1, 1))
    assert own_pool.run(job, 60).details == {"warm": False}
    root = Path(own_pool.status()["root"])
    assert len([path for path in root.iterdir() if path.is_dir()]) == 1


def test_a_killed_warm_worker_is_replaced(own_pool: ComputePool, version: Path, frame: pd.DataFrame) -> None:
    job = method(version, frame[:10])
    expected = rows(own_pool.run(job, 60))
    server = own_pool.status()["pid"]
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), signal.SIGKILL)
    pd.testing.assert_frame_equal(rows(own_pool.run(job, 60)), expected)


def test_an_idle_worker_goes(version: Path, frame: pd.DataFrame) -> None:
    with ComputePool(warm_seconds=0.2) as pool:
        job = method(version, frame[:10])
        expected = rows(pool.run(job, 60))
        threading.Event().wait(1.0)
        again = pool.run(job, 60)
        assert again.details == {"warm": False}
        pd.testing.assert_frame_equal(rows(again), expected)


def test_several_outputs_of_a_classifier(pool: ComputePool, frame: pd.DataFrame, tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, frame["A"] > 0.5)
    path = package(tmp_path / "v", model, frame[:50])
    found = rows(pool.run(method(path, frame, handler="functions.predict_proba.infer"), 60))
    np.testing.assert_allclose(found.to_numpy(), model.predict_proba(frame))
    labels = rows(pool.run(method(path, frame), 60))
    np.testing.assert_array_equal(labels.iloc[:, 0], model.predict(frame))


def test_table_function_keeps_rows(
    pool: ComputePool, regressor: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = package(tmp_path / "v", regressor, frame[:50], function_type="TABLE_FUNCTION")
    found = rows(pool.run(method(path, frame), 60))
    assert found["_ROW"].tolist() == list(range(ROWS))
    np.testing.assert_array_equal(found.iloc[:, 1], regressor.predict(frame))


def test_partitioned_model(pool: ComputePool, frame: pd.DataFrame, tmp_path: Path) -> None:
    class Totals(custom_model.CustomModel):
        @custom_model.partitioned_api
        def predict(self, df: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame({"total": [df["A"].sum()], "rows": [len(df)]})

    path = package(
        tmp_path / "v", Totals(), frame[:50], method_options={"predict": {"function_type": "TABLE_FUNCTION"}}
    )
    numbers = [n % 3 for n in range(ROWS)]
    found = rows(pool.run(method(path, frame, partitions=numbers), 60))
    assert found["rows"].tolist() == [1000, 1000, 1000]
    np.testing.assert_allclose(found["total"], frame["A"].groupby(np.array(numbers)).sum())
    assert found["_ROW"].isna().all()


def test_errors_of_a_model(pool: ComputePool, version: Path, frame: pd.DataFrame) -> None:
    narrow = pool.run(method(version, frame[["A"]]), 60).error
    assert narrow is not None
    assert (narrow.kind, narrow.type) == ("handler", "ValueError")
    missing = pool.run(method(version, frame, handler="functions.nope.infer"), 60).error
    assert missing is not None
    assert missing.type == "ModuleNotFoundError"
    nowhere = pool.run(method(version.parent / "none", frame), 60).error
    assert nowhere is not None
    assert nowhere.kind == "refused"
