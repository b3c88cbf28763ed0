"""The example's whole way under other names: a database for each environment, small letters, blanks and dots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.composition import Runtime, compose
from services.core.hub import load_declaration
from services.core.settings import read_settings
from services.example.types import SMALL
from services.operations import OperationState
from spoke_kit.layout import Layout

LAYOUT = Layout(
    database="MLOPS_{ENV}",
    shared_database="MLOPS_SHARED",
    shared_schema="sources.raw",
    feature_store="features",
    model_registry="models",
    spoke_schema="team-{spoke}",
    object="{spoke} {NAME}",
    shared_object="hub {NAME}",
    owner_role="{spoke}@{env}",
    reader_role="{spoke}@{env}:reads",
    producer_role="{env} features",
)
SECONDS = 300
ENVIRONMENTS = ("DEV", "PROD", "STAGING")
STORE_TABLES = ("SNOWML_SNAPSHOT_STATUS", "_FEATURE_STORE_METADATA")
STORE_TAGS = ("SNOWML_FEATURE_STORE_OBJECT", "SNOWML_FEATURE_VIEW_METADATA")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """The example set up in DEV, and onboarded in STAGING."""
    folder = tmp_path_factory.mktemp("layout")
    settings = read_settings({"SPOKEHUB_DATA": str(folder), "SPOKEHUB_EXAMPLE": "none"})
    runtime = compose(settings, declared=replace(load_declaration(), layout=LAYOUT))
    runtime.start()
    try:
        run(runtime, "example.setup", {"spokes": ["pudo"], "environment": "DEV", "network": SMALL})
        run(runtime, "spoke.onboard", {"spoke": "pudo", "environment": "STAGING"})
        yield runtime
    finally:
        runtime.stop()


def run(runtime: Runtime, kind: str, params: dict[str, Any]) -> None:
    view = runtime.operations.submit(kind, params, actor="test")
    view = runtime.operations.wait(view.id, SECONDS)
    assert view.state == OperationState.SUCCEEDED, [(step.name, step.error) for step in view.steps]


def found(runtime: Runtime, kind: str) -> list[tuple[str, ...]]:
    """Database, schema, name and owner of all objects of a kind, as far as SHOW tells them."""
    columns = ("database_name", "schema_name", "name", "owner")
    rows = runtime.source.query(f"SHOW {kind} IN ACCOUNT")
    return sorted(tuple(str(row[one]) for one in columns if row.get(one)) for row in rows)


def test_databases_schemas_and_roles(runtime: Runtime) -> None:
    databases = [f"MLOPS_{one}" for one in (*ENVIRONMENTS, "SHARED")]
    assert [row["name"] for row in runtime.source.query("SHOW DATABASES")] == sorted(databases)
    schemas = {(row["database_name"], row["name"]) for row in runtime.source.query("SHOW SCHEMAS IN ACCOUNT")}
    assert schemas == {
        *((database, name) for database in databases for name in ("PUBLIC", "INFORMATION_SCHEMA")),
        *((f"MLOPS_{one}", name) for one in ENVIRONMENTS for name in ("features", "models")),
        ("MLOPS_SHARED", "sources.raw"),
        ("MLOPS_DEV", "team-pudo"),
        ("MLOPS_STAGING", "team-pudo"),
    }
    system = {"ACCOUNTADMIN", "ORGADMIN", "PUBLIC", "SECURITYADMIN", "SYSADMIN", "USERADMIN"}
    assert {row["name"] for row in runtime.source.query("SHOW ROLES")} - system == {
        "SPOKEHUB_ADMIN",
        *(f"{one.lower()} features" for one in ENVIRONMENTS),
        *(f"pudo@{one}{what}" for one in ("dev", "staging") for what in ("", ":reads")),
    }


def test_objects(runtime: Runtime) -> None:
    """Where each is, what it is called where the layout says so, and whose it is."""
    store, owner = ("MLOPS_DEV", "features"), "pudo@dev"
    views = [f"pudo {name}_FEATURES$V1" for name in ("GEOSPATIAL", "HISTORICAL", "TEMPORAL")]
    assert found(runtime, "DYNAMIC TABLES") == [
        (*store, "hub NEIGHBOURHOOD$V1", "SPOKEHUB_ADMIN"),
        (*store, views[0], owner),
    ]
    assert [one for one in found(runtime, "VIEWS") if one[:2] == store] == [
        (*store, "hub CALENDAR$V1", "SPOKEHUB_ADMIN"),
        *((*store, name, owner) for name in views[1:]),
    ]
    assert found(runtime, "DATASETS") == [(*store, "pudo CAPACITY_DATASET", owner)]
    assert found(runtime, "MODELS") == [("MLOPS_DEV", "models", "pudo CAPACITY_MODEL", owner)]
    assert found(runtime, "TAGS") == sorted(
        [
            *(
                (f"MLOPS_{one}", "features", tag, "SPOKEHUB_ADMIN")
                for one in ENVIRONMENTS
                for tag in STORE_TAGS
            ),
            (*store, "SNOWML_FEATURE_STORE_ENTITY_PUDO", owner),
            *((*store, f"SNOWML_FEATURE_STORE_ENTITY_{one}", "SPOKEHUB_ADMIN") for one in ("DAY", "CELL")),
            *(("MLOPS_SHARED", "sources.raw", tag, "SPOKEHUB_ADMIN") for tag in runtime.domains.hub.declared.cost_tags),
        ]
    )  # fmt: skip
    in_stores = [one for one in found(runtime, "TABLES") if one[1] == "features" and one[2] in STORE_TABLES]
    assert in_stores == sorted(
        (f"MLOPS_{one}", "features", name, f"{one.lower()} features")
        for one in ENVIRONMENTS
        for name in STORE_TABLES
    )


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (
            "TABLES",
            {
                ("MLOPS_SHARED", "sources.raw", "SPOKEHUB_ADMIN"),
                *((f"MLOPS_{one}", "features", f"{one.lower()} features") for one in ENVIRONMENTS),
                ("MLOPS_DEV", "features", "pudo@dev"),
                ("MLOPS_DEV", "features", "SPOKEHUB_ADMIN"),
                ("MLOPS_DEV", "team-pudo", "pudo@dev"),
                ("MLOPS_STAGING", "team-pudo", "pudo@staging"),
            },
        ),
        (
            "VIEWS",
            {
                ("MLOPS_DEV", "features", "SPOKEHUB_ADMIN"),
                ("MLOPS_DEV", "features", "pudo@dev"),
                ("MLOPS_DEV", "team-pudo", "pudo@dev"),
                ("MLOPS_STAGING", "team-pudo", "pudo@staging"),
            },
        ),
        ("TASKS", {("MLOPS_DEV", "team-pudo", "pudo@dev")}),
        ("STAGES", {("MLOPS_DEV", "team-pudo", "pudo@dev")}),
    ],
)
def test_nothing_elsewhere(runtime: Runtime, kind: str, places: set[tuple[str, ...]]) -> None:
    assert {(one[0], one[1], one[3]) for one in found(runtime, kind)} == places


def test_the_service_finds_everything_again(runtime: Runtime) -> None:
    domains = runtime.domains
    assert domains.hub.plan().pending == ()
    assert [one.name for one in domains.features.views("pudo", "DEV")] == [
        *(f"pudo {name}_FEATURES" for name in ("GEOSPATIAL", "HISTORICAL", "TEMPORAL")),
        "hub CALENDAR",
        "hub NEIGHBOURHOOD",
    ]
    (model,) = domains.registry.models("pudo", "DEV")
    assert (model.name, model.schema_name) == ("pudo CAPACITY_MODEL", "models")
    (version,) = model.versions
    assert version.feature_views == (
        "hub CALENDAR$V1",
        "hub NEIGHBOURHOOD$V1",
        "pudo GEOSPATIAL_FEATURES$V1",
        "pudo HISTORICAL_FEATURES$V1",
        "pudo TEMPORAL_FEATURES$V1",
    )
    assert version.dataset is not None
    assert version.dataset.startswith("pudo CAPACITY_DATASET$")
    environments = domains.spokes.get("pudo").environments
    assert [(one.environment, one.schema_name) for one in environments] == [
        ("DEV", "team-pudo"),
        ("STAGING", "team-pudo"),
    ]
    states = {run.state for graph in domains.training.graphs("pudo", "DEV") for run in graph.runs}
    assert states == {"SUCCEEDED"}


def test_tags_of_one_database_on_schemas_of_another(runtime: Runtime) -> None:
    text = " UNION ALL ".join(
        f"SELECT TAG_NAME, TAG_VALUE FROM TABLE(MLOPS_{one}.INFORMATION_SCHEMA.TAG_REFERENCES("
        f"'MLOPS_{one}.\"{schema}\"', 'SCHEMA'))"
        for one, schema in (("DEV", "team-pudo"), ("STAGING", "team-pudo"), ("PROD", "models"))
    )
    assert sorted((row["TAG_NAME"], row["TAG_VALUE"]) for row in runtime.source.query(text)) == [
        ("SPOKEHUB_ENVIRONMENT", "DEV"),
        ("SPOKEHUB_ENVIRONMENT", "PROD"),
        ("SPOKEHUB_ENVIRONMENT", "STAGING"),
        ("SPOKEHUB_SPOKE", "pudo"),
        ("SPOKEHUB_SPOKE", "pudo"),
    ]


def test_the_reader_reads_what_the_spoke_has(runtime: Runtime) -> None:
    table = 'MLOPS_DEV."team-pudo".PREDICTIONS'
    (row,) = runtime.source.query(f"SELECT COUNT(*) AS N FROM {table}", role='"pudo@dev:reads"')
    assert row["N"] > 0


@pytest.mark.parametrize(
    ("role", "databases"),
    [
        ("pudo@dev", {"MLOPS_SHARED": {"USAGE"}}),
        ("pudo@dev:reads", {"MLOPS_DEV": {"USAGE"}}),
        ("pudo@staging:reads", {"MLOPS_STAGING": {"USAGE"}}),
    ],
)
def test_the_databases_that_a_role_enters(
    runtime: Runtime, role: str, databases: dict[str, set[str]]
) -> None:
    """An owner enters its own by the reader's role."""
    held: dict[str, set[str]] = {}
    for row in runtime.source.query(f'SHOW GRANTS TO ROLE "{role}"'):
        if row["granted_on"] == "DATABASE":
            held.setdefault(row["name"], set()).add(row["privilege"])
    assert held == databases
