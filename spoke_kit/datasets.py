"""Splits by time, kept as versions of one Dataset, so that a model version can name what it learned from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from snowflake.ml import dataset as snowflake_dataset
from snowflake.ml.feature_store import FeatureStore, FeatureView

from spoke_kit.errors import DataMissing
from spoke_kit.manifest import Dataset
from spoke_kit.names import Names, argument, literal

_PART = re.compile(r'"(?:[^"]|"")+"|[^."]+')

TRAIN, VALIDATION, TEST = "TRAIN", "VALIDATION", "TEST"


@dataclass(frozen=True)
class Split:
    """A range of label days, both ends included."""

    name: str
    first: date
    last: date


def time_splits(config: Dataset, first_day: date, last_day: date) -> list[Split]:
    """Train, validation and test, back to back, ending on ``last_day``.

    The train split is cut at ``first_day``; DataMissing when not a day is left for it.
    """
    test = Split(TEST, last_day - timedelta(days=config.test_days - 1), last_day)
    validation_last = test.first - timedelta(days=1)
    validation = Split(
        VALIDATION, validation_last - timedelta(days=config.validation_days - 1), validation_last
    )
    train_last = validation.first - timedelta(days=1)
    train_first = max(first_day, train_last - timedelta(days=config.train_days - 1))
    if train_first > train_last:
        raise DataMissing(
            f"labels from {first_day} to {last_day} leave no day to train on",
            f"At least {config.validation_days + config.test_days + 1} days are needed.",
        )
    return [Split(TRAIN, train_first, train_last), validation, test]


def qualified(names: Names, dataset: str) -> str:
    """The dataset's qualified name in the feature store."""
    return ".".join(map(argument, (names.database, names.feature_store, names.prefixed(dataset))))


def versions(session: Any, name: str) -> list[str]:
    """The versions of a Dataset; none when it does not exist."""
    database, schema, short = _PART.findall(name)
    plain = short[1:-1].replace('""', '"') if short.startswith('"') else short
    shown = session.sql(f"SHOW DATASETS LIKE {literal(plain)} IN SCHEMA {database}.{schema}").collect()
    if not any(row["name"] == plain for row in shown):
        return []
    return list(snowflake_dataset.Dataset.load(session, name).list_versions())


def write_splits(
    store: FeatureStore,
    session: Any,
    name: str,
    base_version: str,
    spines: Mapping[str, Any],
    views: list[FeatureView],
    *,
    label: str,
    timestamp: str,
) -> dict[str, str]:
    """One Dataset version ``<base>_<SPLIT>`` for each spine; one that exists is kept, for a retried run.

    Returns ``{split: version}``.
    """
    present = set(versions(session, name))
    written = {}
    for split, spine in spines.items():
        version = f"{base_version}_{split}"
        if version not in present:
            store.generate_dataset(
                name, spine, views, version=version, spine_timestamp_col=timestamp, spine_label_cols=[label]
            )
        written[split] = version
    return written


def read_version(session: Any, name: str, version: str) -> Any:
    """A Dataset version as a pandas frame."""
    return snowflake_dataset.Dataset.load(session, name).select_version(version).read.to_pandas()


def drop_version(session: Any, name: str, version: str) -> None:
    snowflake_dataset.Dataset.load(session, name).delete_version(version)
