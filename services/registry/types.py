"""What is known of a spoke's models and their versions.

Functions (`services.registry`):

- `models(spoke: str, environment: str) -> tuple[Model, ...]`: by name, each with its versions, newest
  first.
- `versions(spoke, environment, model: str) -> tuple[ModelVersion, ...]`: newest first; NotFound 404.
- `version(spoke, environment, model: str, version: str) -> ModelVersion`: NotFound 404.
- `start_promote(spoke, environment, model: str, version: str, actor: str) -> str`: submits `model.promote`
  (makes it the default version), returns the operation's id; Conflict 409 when it is the default already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version with what was registered beside it.

    `metrics` are the registered test metrics by plain name (`mae`, `naive_mae`, `validation_mae`, …);
    `naive_metrics` holds each naive forecast's `mae` by its name. `passed` tells whether it passed its gates, None
    where nobody asked. `feature_views` are "NAME$VERSION", `dataset` "NAME$VERSION".
    """

    model: str
    version: str
    created_at: datetime
    is_default: bool = False
    aliases: tuple[str, ...] = ()
    comment: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    naive_metrics: Mapping[str, float] = field(default_factory=dict)
    feature_views: tuple[str, ...] = ()
    dataset: str | None = None
    functions: tuple[str, ...] = ()
    run_id: str | None = None
    graph: str | None = None
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its versions, newest first."""

    name: str
    schema_name: str
    default_version: str | None
    versions: tuple[ModelVersion, ...]
    comment: str = ""
