"""A spoke's manifest: what is read, and how what is wrong is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spoke_kit import manifest
from spoke_kit.errors import ConfigError, ManifestError
from spoke_kit.manifest.reading import merged
from tests.manifests import small

ROOT = Path(__file__).resolve().parents[2]
PUDO = ROOT / "spokes" / "pudo"
LEAST = """version: 1
spoke: pudo
title: PUDO
owner: Team
compute: {warehouse: WH, packages: []}
"""


@pytest.fixture
def spoke(tmp_path: Path) -> Path:
    """A copy of the PUDO spoke's manifest that a test may spoil."""
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


def faults(folder: Path, text: str, overlay: str = "") -> list[str]:
    """What is wrong with a manifest, a line each; none when nothing is."""
    (folder / "spoke.yaml").write_text(text)
    if overlay:
        (folder / "overlays").mkdir(exist_ok=True)
        (folder / "overlays" / "dev.yaml").write_text(overlay)
    try:
        manifest.load(folder, "DEV")
    except ManifestError as error:
        return list(map(str, error.faults))
    return []


def test_the_example_is_read_in_every_environment() -> None:
    read = {name: manifest.load(PUDO, name) for name in ("DEV", "STAGING", "PROD")}
    assert [read[name].graphs["TRAINING_DAG"].schedule for name in read] == [None, None, "0 3 * * 1 UTC"]
    assert [read[name].graphs["INFERENCE_DAG"].auto_retry_attempts for name in read] == [0, 0, 2]
    training = read["DEV"].graphs["TRAINING_DAG"]
    assert {name: task.after for name, task in training.tasks.items()} == {
        "PREPARE_DATA": (),
        "TRAIN_MODEL": ("PREPARE_DATA",),
        "CHECK_MODEL_QUALITY": ("TRAIN_MODEL",),
        "PROMOTE_MODEL": ("CHECK_MODEL_QUALITY",),
        "SEND_ALERT": ("CHECK_MODEL_QUALITY",),
    }
    assert list(training.finalizer) == ["CLEANUP"]
    with pytest.raises(ValidationError, match="frozen"):
        read["DEV"].title = "other"  # type: ignore[misc]


def test_the_packaged_manifest_is_the_same() -> None:
    assert manifest.load_package("spokes.pudo", "PROD") == manifest.load(PUDO, "PROD")


def test_what_is_stored_is_read_again() -> None:
    read = manifest.load(PUDO, "PROD")
    assert manifest.Manifest.model_validate(json.loads(read.model_dump_json())) == read


def test_an_overlay_is_merged_deeply(spoke: Path) -> None:
    change(spoke / "overlays" / "dev.yaml", "models", "CAPACITY_MODEL", "parameters", "max_depth", to=3)
    before, after = manifest.load(PUDO, "DEV"), manifest.load(spoke, "DEV")
    parameters = {**before.models["CAPACITY_MODEL"].parameters, "max_depth": 3}
    assert after.models["CAPACITY_MODEL"].parameters == parameters
    assert after.graphs == before.graphs


def test_null_in_an_overlay_brings_the_default_back(tmp_path: Path) -> None:
    assert faults(tmp_path, LEAST + "retention_days: 30\n", "retention_days: null\n") == []
    assert manifest.load(tmp_path, "DEV").retention_days == 7
    assert manifest.load(tmp_path, "PROD").retention_days == 30


GRAPH = "graphs:\n  daily/score:\n    tasks:\n"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("titel: x\n", ["spoke.yaml:6: titel is unknown; did you mean title?"]),
        ("retention_days: '7'\n", ["spoke.yaml:6: retention_days should be a whole number, found '7'"]),
        ("retention_days: true\n", ["spoke.yaml:6: retention_days should be a whole number, found True"]),
        ("retention_days: 0\n", ["spoke.yaml:6: retention_days should be 1 or more, found 0"]),
        ("tables: sql/a.sql\n", ["spoke.yaml:6: tables should be a list, found 'sql/a.sql'"]),
        ("tables:\n- a.sql\n- 3\n", ["spoke.yaml:8: tables.1 should be text, found 3"]),
        ("title: again\n", ["spoke.yaml:6: title is there twice"]),
        ("tables: {\n", ["spoke.yaml:7: is no YAML: expected the node content, but found '<stream end>'"]),
        ("tables: &a [*a]\n", ["spoke.yaml:1: is nested too deep, or holds itself"]),
        ("[1]: x\n", ["spoke.yaml:6: has a key that is no text"]),
        ("description: !!python/name:os.system x\n", [
            "spoke.yaml:6: description is of the unknown type python/name:os.system",
            "spoke.yaml:6: description should be text, found None",
        ]),
        ("models:\n  M: {kind: regresion}\n", [
            "spoke.yaml:7: models.M.kind should be 'regression', 'binary_classification', "
            "'multiclass_classification' or 'other', found 'regresion'",
            "spoke.yaml:7: models.M.metric is missing: The primary metric.",
        ]),
        ("models:\n  M: {kind: other, metric: {name: m}, gates: {maximum: {m: .nan}}}\n", [
            "spoke.yaml:7: models.M.gates.maximum.m input should be a finite number, found nan",
        ]),
        (GRAPH + "      a: {handler: a.b, after: [b]}\n", [
            "spoke.yaml:7: graphs.daily/score a comes after 'b', which is no other task of the graph",
        ]),
        (GRAPH + "      A: {handler: a.b, after: [B]}\n      B: {handler: a.b, after: [A]}\n", [
            "spoke.yaml:7: graphs.daily/score the tasks A, B wait for each other",
        ]),
        (GRAPH + "      A: {handler: os.system(1)}\n", [
            r"spoke.yaml:9: graphs.daily/score.tasks.A.handler should be of the form "
            r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$, found 'os.system(1)'",
        ]),
        (GRAPH + "      A: {handler: a.b, warehouse: W, compute_pool: P}\n", [
            "spoke.yaml:9: graphs.daily/score.tasks.A a task runs on a warehouse or on a compute pool, not on both",
        ]),
        ("graphs:\n  a$b:\n    trains: M\n    tasks: {A: {handler: a.b}}\n    schedule: daily\n", [
            "spoke.yaml:7: graphs.a$b should hold no $, which parts a graph's name from its task's",
            "spoke.yaml:8: graphs.a$b.trains names 'M', which is not among the models",
            r"spoke.yaml:10: graphs.a$b.schedule should be of the form ^\s*(\S+\s+){5}\S+\s*$, found 'daily'",
        ]),
        (f"graphs:\n  {'g' * 200}:\n    tasks:\n      {'t' * 55}: {{handler: a.b}}\n", [
            f"spoke.yaml:9: graphs.{'g' * 200}.tasks.{'t' * 55} should be shorter: "
            "with its graph's name at most 254 letters",
        ]),
        ("feature_views:\n  V: {module: m, entities: [E], offers: [V1], consumes: V2}\n", [
            "spoke.yaml:7: feature_views.V.entities names 'E', which is not among the entities",
            "spoke.yaml:7: feature_views.V consumes 'V2', which is not offered: V1",
        ]),
    ],
)  # fmt: skip
def test_all_that_is_wrong_is_told_with_file_line_and_key(tmp_path: Path, more: str, told: list[str]) -> None:
    assert sorted(faults(tmp_path, LEAST + more)) == sorted(told)


def test_a_fault_of_an_overlay_is_told_there(tmp_path: Path) -> None:
    overlay = "\nretention_days: long\ngraphs:\n  G: null\nretention_dayz: null\n"
    assert faults(tmp_path, LEAST, overlay) == [
        "overlays/dev.yaml:2: retention_days should be a whole number, found 'long'",
        "overlays/dev.yaml:4: graphs.G should be a mapping, found None",
        "overlays/dev.yaml:5: retention_dayz is unknown; did you mean retention_days?",
    ]


def test_what_cannot_be_read_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown environment"):
        manifest.load(PUDO, "../x")
    with pytest.raises(ManifestError, match=r"spoke\.yaml:1: is not there"):
        manifest.load(tmp_path, "DEV")
    assert faults(tmp_path, "- a\n") == ["spoke.yaml:1: should be a mapping, found ['a']"]
    (tmp_path / "spoke.yaml").write_bytes(b"title: \xff")
    with pytest.raises(ManifestError, match="is no text in UTF-8"):
        manifest.load(tmp_path, "DEV")


def test_words_of_yaml_are_names_as_they_are_written(tmp_path: Path) -> None:
    text = LEAST + "graphs:\n  no: {tasks: {2025-01-01: {handler: a.b}}}\n"
    assert faults(tmp_path, text) == []
    assert list(manifest.load(tmp_path, "DEV").graphs["no"].tasks) == ["2025-01-01"]


trees: st.SearchStrategy[Any] = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), trees), st.dictionaries(st.sampled_from("abc"), trees))
def test_merging_keeps_every_key_and_the_later_value(base: dict[str, Any], over: dict[str, Any]) -> None:
    found = merged(base, over)
    assert found.keys() == base.keys() | over.keys()
    assert merged(found, over) == found
    for key, value in found.items():
        if isinstance(base.get(key), dict) and isinstance(over.get(key), dict):
            assert value == merged(base[key], over[key])
        else:
            assert value == (over[key] if key in over else base[key])


def test_the_schema_is_written_down() -> None:
    assert json.loads((ROOT / "docs" / "spoke.schema.json").read_text()) == manifest.schema()


def test_every_key_of_the_schema_is_described() -> None:
    found = manifest.schema()
    parts = {"Manifest": found, **found["$defs"]}
    undescribed = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, value in part.get("properties", {}).items()
        if "description" not in value
    ]
    assert undescribed == []


def test_what_a_graph_is_for() -> None:
    task = {"tasks": {"T": {"handler": "a.b"}}}
    made = small(
        models={"M": {"kind": "other", "metric": {"name": "m"}}},
        predictions={
            "P": {
                "title": "P", "kind": "regression", "source": "T", "key": ["K"], "time": "D",
                "predicted": "V", "unit": {"name": "v"},
            }
        },
        graphs={"a/b": {"trains": "M", **task}, "c": {"predicts": "P", **task}, "d": task},
    )  # fmt: skip
    assert (made.training("M"), made.training("N"), made.predicting("P")) == (["a/b"], [], ["c"])
