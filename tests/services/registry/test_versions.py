"""A version as SHOW VERSIONS tells it, with what the registry and the spoke wrote beside it."""

import json
from datetime import UTC, datetime
from typing import Any

from services.core.hub import load_declaration
from services.registry.repository import Models, promote_sql
from services.snowflake.scope import Scope
from tests.manifests import small

SCOPE = Scope(load_declaration(), "pudo", "DEV", small())
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
METADATA = {
    "metrics": {"mae": 0.05, "naive_mae": 0.07, "naive_mean7_mae": 0.07, "note": "text", "passed": True},
    "spokehub": {
        "run_id": "r-1",
        "feature_views": {"PUDO__B": "V2", "PUDO__A": "V1"},
        "dataset": "DB.S.PUDO__SET",
        "dataset_versions": {"TEST": "D_TEST", "TRAIN": "D_TRAIN"},
    },
}


class Answers:
    """An account with one model."""

    def query(self, text: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        if text.startswith("SHOW MODELS"):
            assert text == "SHOW MODELS LIKE 'PUDO\\\\_\\\\_%' IN SCHEMA SPOKEHUB.MODEL_REGISTRY_DEV"
            return [{"name": "PUDO__M", "default_version_name": "V1", "comment": None}]
        assert text == "SHOW VERSIONS IN MODEL SPOKEHUB.MODEL_REGISTRY_DEV.PUDO__M"
        common = {"comment": None, "functions": '["PREDICT"]'}
        return [
            {**common, "name": "V1", "created_on": EARLY, "aliases": '["DEFAULT", "FIRST", "CHAMPION"]',
             "metadata": json.dumps(METADATA)},
            {**common, "name": "V2", "created_on": LATE, "aliases": "[]", "metadata": "not JSON"},
        ]  # fmt: skip


def test_versions_newest_first_with_lineage() -> None:
    (model,) = Models(Answers()).all(SCOPE)
    assert (model.name, model.schema_name, model.default_version) == ("PUDO__M", "MODEL_REGISTRY_DEV", "V1")
    newest, first = model.versions
    assert (newest.version, newest.is_default, dict(newest.metrics), newest.dataset, newest.run_id) == (
        "V2",
        False,
        {},
        None,
        None,
    )
    assert (first.version, first.is_default, first.aliases) == ("V1", True, ("CHAMPION",))
    assert dict(first.metrics) == {"mae": 0.05, "naive_mae": 0.07}
    assert dict(first.naive_metrics) == {"mean_of_7_days": 0.07}
    assert first.feature_views == ("PUDO__A$V1", "PUDO__B$V2")
    assert (first.dataset, first.run_id) == ("PUDO__SET$D_TRAIN", "r-1")


def test_names_are_quoted() -> None:
    assert promote_sql(SCOPE, 'M"1', "v2") == (
        'ALTER MODEL SPOKEHUB.MODEL_REGISTRY_DEV."M""1" SET DEFAULT_VERSION = "v2"'
    )
