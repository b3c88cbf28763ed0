"""The client's graph objects that are made of the configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from snowflake.core.task import Cron

from spoke_kit import bundle, graphs, manifest
from spoke_kit.errors import ConfigError
from spoke_kit.layout import Layout
from spoke_kit.manifest import Graph, Task
from spoke_kit.names import Names

LAYOUT = Layout(database="HUB")


@pytest.fixture
def deployment(spoke_directory: Path) -> graphs.Deployment:
    settings = manifest.load(spoke_directory, "PROD")
    names = Names(LAYOUT, "pudo", "PROD")
    return graphs.Deployment(None, settings, names, bundle.build(spoke_directory))


def low_level(dag: Any) -> dict[str, Any]:
    return {task.full_name: task._to_low_level_task() for task in dag.tasks}


def test_training_graph(deployment: graphs.Deployment) -> None:
    dag = graphs.build(deployment, "TRAINING_DAG")
    root, tasks = dag._to_low_level_task(), low_level(dag)
    assert (root.schedule.expr, root.schedule.timezone) == ("0 3 * * 1", "UTC")
    assert root.config == {
        "spoke": "pudo",
        "environment": "PROD",
        "layout": LAYOUT.text,
        "graph": "TRAINING_DAG",
        "bundle": deployment.bundle.name,
    }
    assert (root.task_auto_retry_attempts, root.user_task_timeout_ms) == (1, 3_600_000)
    assert {name: (task.predecessors, task.finalize, task.condition) for name, task in tasks.items()} == {
        "TRAINING_DAG$PREPARE_DATA": (["TRAINING_DAG"], None, None),
        "TRAINING_DAG$TRAIN_MODEL": (["TRAINING_DAG$PREPARE_DATA"], None, None),
        "TRAINING_DAG$CHECK_MODEL_QUALITY": (["TRAINING_DAG$TRAIN_MODEL"], None, None),
        "TRAINING_DAG$PROMOTE_MODEL": (
            ["TRAINING_DAG$CHECK_MODEL_QUALITY"],
            None,
            "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('TRAINING_DAG$CHECK_MODEL_QUALITY') = 'PROMOTE_MODEL'",
        ),
        "TRAINING_DAG$SEND_ALERT": (
            ["TRAINING_DAG$CHECK_MODEL_QUALITY"],
            None,
            "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('TRAINING_DAG$CHECK_MODEL_QUALITY') = 'SEND_ALERT'",
        ),
        "TRAINING_DAG$CLEANUP": (None, "TRAINING_DAG", None),
    }
    assert (
        tasks["TRAINING_DAG$TRAIN_MODEL"].definition == 'CALL "HUB"."PUDO_PROD"."TRAINING_DAG$TRAIN_MODEL"()'
    )


def test_predictions_wait_for_model_and_features(deployment: graphs.Deployment) -> None:
    tasks = low_level(graphs.build(deployment, "INFERENCE_DAG"))
    assert sorted(tasks["INFERENCE_DAG$MAKE_PREDICTIONS"].predecessors) == [
        "INFERENCE_DAG$GENERATE_FEATURES",
        "INFERENCE_DAG$LOAD_MODEL",
    ]


def changed(deployment: graphs.Deployment, **values: Any) -> graphs.Deployment:
    """The same deployment with another training graph."""
    given = deployment.manifest
    graph = given.graphs["TRAINING_DAG"].model_copy(update=values)
    return replace(
        deployment, manifest=given.model_copy(update={"graphs": {**given.graphs, "TRAINING_DAG": graph}})
    )


def test_comment_changes_with_code_graph_environment_and_names(deployment: graphs.Deployment) -> None:
    base = deployment.comment("TRAINING_DAG")
    assert json.loads(base)["bundle"] == deployment.bundle.name
    others = [
        replace(deployment, bundle=replace(deployment.bundle, digest="0" * 64)),
        replace(deployment, names=Names(LAYOUT, "pudo", "DEV")),
        replace(deployment, names=Names(Layout(database="HUB", object="{SPOKE}.{NAME}"), "pudo", "PROD")),
        changed(deployment, schedule=None),
    ]
    assert len({base, *(other.comment("TRAINING_DAG") for other in others)}) == 5


@pytest.mark.parametrize("schedule", ["hourly", "0 3 * * UTC", "0 3 * * 1"])
def test_a_schedule_is_cron_and_time_zone(deployment: graphs.Deployment, schedule: str) -> None:
    with pytest.raises(ConfigError, match="is not a cron expression with a time zone"):
        graphs.build(changed(deployment, schedule=schedule), "TRAINING_DAG")


def test_the_schedule_is_read(deployment: graphs.Deployment) -> None:
    scheduled = changed(deployment, schedule="30 5 * * * Europe/Berlin")
    assert graphs.build(scheduled, "TRAINING_DAG").schedule == Cron("30 5 * * *", "Europe/Berlin")


def test_any_name_and_any_warehouse(deployment: graphs.Deployment) -> None:
    """The client joins names as they are; the account reads what is not quoted in upper case."""
    tasks = {
        "ask": Task(handler="a.b", branch=True),
        'say "so"': Task(handler="a.b", after=("ask",), warehouse="other wh"),
    }
    given = deployment.manifest.model_copy(
        update={"graphs": {"daily/score": Graph(tasks=tasks, finalizer={"END": Task(handler="a.b")})}}
    )
    dag = graphs.build(replace(deployment, manifest=given), "daily/score")
    assert dag._to_low_level_task().name == '"daily/score"'
    made = low_level(dag)
    assert {
        name: (task.definition, task.predecessors, task.finalize, task.condition, task.warehouse)
        for name, task in made.items()
    } == {
        '"daily/score$ask"': (
            'CALL "HUB"."PUDO_PROD"."daily/score$ask"()', ['"daily/score"'], None, None, "SPOKEHUB_WH",
        ),
        '"daily/score$say ""so"""': (
            'CALL "HUB"."PUDO_PROD"."daily/score$say ""so"""()',
            ['"daily/score$ask"'],
            None,
            "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('\"daily/score$ask\"') = 'say \"so\"'",
            '"other wh"',
        ),
        '"daily/score$END"': ('CALL "HUB"."PUDO_PROD"."daily/score$END"()', None, '"daily/score"', None, "SPOKEHUB_WH"),
    }  # fmt: skip


def test_a_compute_pool_is_refused_by_name(deployment: graphs.Deployment) -> None:
    tasks = {"TRAIN": Task(handler="a.b", compute_pool="GPU")}
    with pytest.raises(
        ConfigError, match=r"graphs\.TRAINING_DAG\.tasks\.TRAIN\.compute_pool: .* not deployed"
    ):
        graphs.action(changed(deployment, tasks=tasks), "TRAINING_DAG")


def test_procedure_names_bundle_packages_and_handler(deployment: graphs.Deployment) -> None:
    sql = deployment.procedure_sql("P", "training.quality.promote_model", "CONFIG VARCHAR", "it's")
    assert 'CREATE OR REPLACE PROCEDURE "HUB"."PUDO_PROD"."P"(CONFIG VARCHAR)' in sql
    assert f'IMPORTS = (\'@"HUB"."PUDO_PROD"."BUNDLES"/{deployment.bundle.name}\')' in sql
    assert "HANDLER = 'pudo.training.quality.promote_model'" in sql
    assert "'xgboost==3.2.0'" in sql
    assert "COMMENT = 'it''s'" in sql


def test_procedures_say_where_their_packages_come_from(deployment: graphs.Deployment) -> None:
    def clauses(repository: str | None) -> list[str]:
        changes = {"artifact_repository": repository, "packages": ("a==1",)}
        compute = deployment.manifest.compute.model_copy(update=changes)
        made = replace(deployment, manifest=deployment.manifest.model_copy(update={"compute": compute}))
        return made.procedure_sql("P", "m.f", "", "").splitlines()[3:6]

    assert clauses("snowflake.snowpark.pypi_shared_repository") == [
        "RUNTIME_VERSION = '3.11'",
        "ARTIFACT_REPOSITORY = snowflake.snowpark.pypi_shared_repository",
        "PACKAGES = ('a==1')",
    ]
    assert clauses(None)[:2] == ["RUNTIME_VERSION = '3.11'", "PACKAGES = ('a==1')"]
