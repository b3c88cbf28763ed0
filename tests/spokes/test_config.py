"""A spoke's configuration: what is read, and how an error names file and key."""

from __future__ import annotations

import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import yaml

from spoke_kit import config
from spoke_kit.errors import ConfigError
from spoke_kit.yaml_node import merge

PUDO = Path(config.__file__).parents[1] / "spokes" / "pudo"


@pytest.fixture
def spoke(tmp_path: Path) -> Path:
    """A copy of the PUDO spoke's configuration that a test may spoil."""
    shutil.copy(PUDO / "spoke.yaml", tmp_path)
    shutil.copytree(PUDO / "overlays", tmp_path / "overlays")
    return tmp_path


def change(file: Path, *path: str, to: object) -> None:
    tree = yaml.safe_load(file.read_text()) or {}
    node = tree
    for key in path[:-1]:
        node = node.setdefault(key, {})
    node[path[-1]] = to
    file.write_text(yaml.safe_dump(tree))


def test_the_example_is_read_in_every_environment() -> None:
    read = {name: config.load(PUDO, name) for name in ("DEV", "STAGING", "PROD")}
    assert [read[name].graphs["TRAINING_DAG"].schedule for name in read] == [None, None, "0 3 * * 1 UTC"]
    assert [read[name].graphs["INFERENCE_DAG"].auto_retry_attempts for name in read] == [0, 0, 2]
    training = read["DEV"].graphs["TRAINING_DAG"]
    assert {task.name: task.after for task in training.tasks} == {
        "PREPARE_DATA": (),
        "TRAIN_MODEL": ("PREPARE_DATA",),
        "CHECK_MODEL_QUALITY": ("TRAIN_MODEL",),
        "PROMOTE_MODEL": ("CHECK_MODEL_QUALITY",),
        "SEND_ALERT": ("CHECK_MODEL_QUALITY",),
    }
    assert training.finalizer is not None
    assert training.finalizer.name == "CLEANUP"
    with pytest.raises(FrozenInstanceError):
        read["DEV"].title = "other"  # type: ignore[misc]


def test_packaged_configuration_is_the_same() -> None:
    assert config.load_package("spokes.pudo", "PROD") == config.load(PUDO, "PROD")


def test_overlay_is_merged_deeply(spoke: Path) -> None:
    change(spoke / "overlays" / "dev.yaml", "models", "CAPACITY_MODEL", "parameters", "max_depth", to=3)
    before, after = config.load(PUDO, "DEV"), config.load(spoke, "DEV")
    assert after.models["CAPACITY_MODEL"].parameters == {
        **before.models["CAPACITY_MODEL"].parameters,
        "max_depth": 3,
    }
    assert after.graphs == before.graphs


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("owner",), None, "spoke.yaml: owner: missing"),
        (("title",), 7, "spoke.yaml: title: expected text, found 7"),
        (("colour",), "red", "spoke.yaml: colour: unknown key"),
        (("datasets", "CAPACITY_DATASET", "test_days"), 0, "test_days: must be at least 1"),
        (
            ("feature_views", "TEMPORAL_FEATURES", "consumes"),
            "V9",
            "TEMPORAL_FEATURES.consumes: 'V9' is not offered",
        ),
        (("feature_views", "TEMPORAL_FEATURES", "entities"), ["CAR"], "names the unknown entity 'CAR'"),
        (
            ("graphs", "TRAINING_DAG", "tasks", "TRAIN_MODEL", "after"),
            ["NONE"],
            "after the unknown task 'NONE'",
        ),
        (
            ("graphs", "TRAINING_DAG", "tasks", "TRAIN_MODEL", "handler"),
            "os.system(1)",
            "expected module.function",
        ),
        (("gates", "maximum", "mean_squared"), "low", "gates.maximum.mean_squared: expected a number"),
        (("compute", "packages"), "xgboost", "compute.packages: expected a list, found 'xgboost'"),
        (("compute", "artifact_repository"), "x; DROP TABLE T", "is not the full name of a repository"),
        (("spoke",), "a-b", "spoke: 'a-b' is not a plain identifier"),
    ],
)
def test_an_error_names_file_and_key(spoke: Path, path: tuple[str, ...], value: object, message: str) -> None:
    change(spoke / "spoke.yaml", *path, to=value)
    with pytest.raises(ConfigError) as caught:
        config.load(spoke, "DEV")
    assert message in caught.value.message


def test_an_error_in_an_overlay_names_the_overlay(spoke: Path) -> None:
    change(spoke / "overlays" / "prod.yaml", "retention_days", to="long")
    with pytest.raises(ConfigError, match=r"overlays/prod\.yaml: retention_days: expected a whole number"):
        config.load(spoke, "PROD")
    assert config.load(spoke, "STAGING").retention_days == 7


def test_unknown_environment_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown environment 'TEST'"):
        config.load(PUDO, "test")
    with pytest.raises(ConfigError, match=r"spoke\.yaml: not found"):
        config.load(tmp_path, "DEV")


def test_merge_replaces_all_but_mappings() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(base, {"a": {"c": [3]}, "d": {"e": 2}}) == {"a": {"b": 1, "c": [3]}, "d": {"e": 2}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}
