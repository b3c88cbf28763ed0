"""A spoke's configuration: ``spoke.yaml`` with an environment's overlay laid on it, as frozen dataclasses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spoke_kit import yaml_node
from spoke_kit.errors import ConfigError
from spoke_kit.manifest import Prediction
from spoke_kit.names import ENVIRONMENTS, identifier
from spoke_kit.yaml_node import Node

_HANDLER = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)+")


@dataclass(frozen=True)
class Entity:
    name: str
    keys: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class FeatureViewConfig:
    """Which versions the store offers, and which one the pipelines consume."""

    name: str
    module: str
    entities: tuple[str, ...]
    timestamp: str
    offers: tuple[str, ...]
    consumes: str
    refresh: str | None


@dataclass(frozen=True)
class DatasetConfig:
    """A dataset and the lengths in days of its splits, newest last: train, validation, test."""

    name: str
    label: str
    train_days: int
    validation_days: int
    test_days: int


@dataclass(frozen=True)
class ModelConfig:
    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Gates:
    """What a trained version must reach on the test split to be promoted."""

    maximum: Mapping[str, float]
    naive_ratio: float


@dataclass(frozen=True)
class TaskConfig:
    name: str
    handler: str
    after: tuple[str, ...]
    branch: bool


@dataclass(frozen=True)
class GraphConfig:
    """A task graph: its schedule (cron with time zone, or none), limits, tasks and finalizer."""

    name: str
    description: str
    schedule: str | None
    timeout_minutes: int
    auto_retry_attempts: int
    tasks: tuple[TaskConfig, ...]
    finalizer: TaskConfig | None


@dataclass(frozen=True)
class Compute:
    """Where the spoke's code runs. Without a repository its packages come from the Anaconda channel."""

    warehouse: str
    runtime: str
    packages: tuple[str, ...]
    artifact_repository: str | None = None


@dataclass(frozen=True)
class SpokeConfig:
    """One spoke in one environment."""

    name: str
    environment: str
    title: str
    owner: str
    description: str
    sources: tuple[str, ...]
    entities: Mapping[str, Entity]
    feature_views: Mapping[str, FeatureViewConfig]
    datasets: Mapping[str, DatasetConfig]
    models: Mapping[str, ModelConfig]
    gates: Gates
    alerts: Mapping[str, float]
    retention_days: int
    compute: Compute
    tables: tuple[str, ...]
    graphs: Mapping[str, GraphConfig]
    procedures: Mapping[str, str]
    # As plain values, which the contract's model has read without complaint.
    predictions: Mapping[str, Mapping[str, Any]]


def load(directory: Path, environment: str) -> SpokeConfig:
    """Read a spoke's directory. ConfigError names the file and the key."""
    return _load(directory, environment)


def load_package(package: str, environment: str) -> SpokeConfig:
    """Read the configuration that lies beside an imported spoke package, also inside a zip."""
    return _load(resources.files(package), environment)


def _load(directory: Any, environment: str) -> SpokeConfig:
    environment = environment.upper()
    if environment not in ENVIRONMENTS:
        raise ConfigError(f"unknown environment {environment!r}", f"Use one of {', '.join(ENVIRONMENTS)}.")
    base_file, overlay_file = "spoke.yaml", f"overlays/{environment.lower()}.yaml"
    if not directory.joinpath(base_file).is_file():
        raise ConfigError(f"{base_file}: not found in {directory}", "A spoke has a spoke.yaml.")
    tree = yaml_node.parse(directory.joinpath(base_file).read_text("utf-8"), base_file)
    files = yaml_node.origins(tree, base_file)
    overlay = directory.joinpath("overlays").joinpath(f"{environment.lower()}.yaml")
    if overlay.is_file():
        over = yaml_node.parse(overlay.read_text("utf-8"), overlay_file)
        tree = yaml_node.merge(tree, over)
        files |= yaml_node.origins(over, overlay_file)
    return read(Node(tree, files), environment)


def read(top: Node, environment: str) -> SpokeConfig:
    """The dataclasses from a merged tree."""
    gates, compute = top.child("gates"), top.child("compute")
    config = SpokeConfig(
        name=identifier(top.get("spoke", str), "spoke").lower(),
        environment=environment,
        title=top.get("title", str),
        owner=top.get("owner", str),
        description=top.get("description", str, ""),
        sources=top.texts("sources", []),
        entities={name: _entity(name, node) for name, node in top.children("entities")},
        feature_views={name: _feature_view(name, node) for name, node in top.children("feature_views")},
        datasets={name: _dataset(name, node) for name, node in top.children("datasets")},
        models={name: _model(name, node) for name, node in top.children("models")},
        gates=Gates(maximum=_numbers(gates, "maximum"), naive_ratio=gates.get("naive_ratio", float, 1.0)),
        alerts=_numbers(top, "alerts"),
        retention_days=top.get("retention_days", int, 7),
        compute=Compute(
            warehouse=compute.get("warehouse", str),
            runtime=compute.get("runtime", str, "3.11"),
            packages=compute.texts("packages"),
            artifact_repository=_repository(compute),
        ),
        tables=top.texts("tables", []),
        graphs={name: _graph(name, node) for name, node in top.children("graphs")},
        procedures={name: _handler(top, name, text) for name, text in top.plain("procedures").items()},
        predictions={name: _prediction(top, name, part) for name, part in top.plain("predictions").items()},
    )
    for node in (top, gates, compute):
        node.finish()
    for view in config.feature_views.values():
        for entity in view.entities:
            if entity not in config.entities:
                raise top.error("feature_views", f"{view.name} names the unknown entity {entity!r}")
    return config


def _repository(compute: Node) -> str | None:
    """``database.schema.name``, which is written into statements as it is."""
    name = compute.get("artifact_repository", str, "")
    if name and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){2}", name):
        raise compute.error("artifact_repository", f"{name!r} is not the full name of a repository")
    return name or None


def _numbers(node: Node, key: str) -> dict[str, float]:
    below = node.child(key)
    return {name: below.get(name, float) for name in node.plain(key)}


def _handler(node: Node, name: str, text: Any) -> str:
    if not isinstance(text, str) or not _HANDLER.fullmatch(text):
        raise node.error(name, f"expected module.function, found {text!r}")
    return text


def _prediction(node: Node, name: str, part: Any) -> Mapping[str, Any]:
    try:
        return Prediction.model_validate(part).model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise node.error("predictions", f"{name}.{where}: {first['msg']}") from None


def _entity(name: str, node: Node) -> Entity:
    entity = Entity(identifier(name, "entities"), node.texts("keys"), node.get("description", str, ""))
    node.finish()
    return entity


def _feature_view(name: str, node: Node) -> FeatureViewConfig:
    view = FeatureViewConfig(
        name=identifier(name, "feature_views"),
        module=node.get("module", str),
        entities=node.texts("entities"),
        timestamp=node.get("timestamp", str, "UPDATED_AT"),
        offers=node.texts("offers"),
        consumes=node.get("consumes", str),
        refresh=node.optional("refresh"),
    )
    node.finish()
    if view.consumes not in view.offers:
        raise node.error(
            "consumes", f"{view.consumes!r} is not offered", f"Offered: {', '.join(view.offers)}."
        )
    return view


def _dataset(name: str, node: Node) -> DatasetConfig:
    dataset = DatasetConfig(
        name=identifier(name, "datasets"),
        label=node.get("label", str),
        train_days=node.get("train_days", int),
        validation_days=node.get("validation_days", int),
        test_days=node.get("test_days", int),
    )
    node.finish()
    for key in ("train_days", "validation_days", "test_days"):
        if getattr(dataset, key) < 1:
            raise node.error(key, "must be at least 1")
    return dataset


def _model(name: str, node: Node) -> ModelConfig:
    model = ModelConfig(identifier(name, "models"), node.plain("parameters"))
    node.finish()
    return model


def _task(name: str, node: Node) -> TaskConfig:
    task = TaskConfig(
        name=identifier(name, "tasks"),
        handler=_handler(node, "handler", node.get("handler", str)),
        after=node.texts("after", []),
        branch=node.get("branch", bool, False),
    )
    node.finish()
    return task


def _graph(name: str, node: Node) -> GraphConfig:
    tasks = tuple(_task(task, below) for task, below in node.children("tasks"))
    known = {task.name for task in tasks}
    for task in tasks:
        for before in task.after:
            if before not in known or before == task.name:
                raise node.error("tasks", f"{task.name} comes after the unknown task {before!r}")
    finalizers = [_task(task, below) for task, below in node.children("finalizer")]
    if len(finalizers) > 1:
        raise node.error("finalizer", "a graph has one finalizer")
    graph = GraphConfig(
        name=identifier(name, "graphs"),
        description=node.get("description", str, ""),
        schedule=node.optional("schedule"),
        timeout_minutes=node.get("timeout_minutes", int, 60),
        auto_retry_attempts=node.get("auto_retry_attempts", int, 0),
        tasks=tasks,
        finalizer=finalizers[0] if finalizers else None,
    )
    node.finish()
    return graph
