"""Every template compiles, every route is known, every vendored file is what its package published."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from app.pages import routers
from app.pages.icons import icon
from app.pages.render import STATIC, TEMPLATES, data, templates
from app.pages.states import STATES, state_style

DOMAINS = (
    "costs",
    "example",
    "failures",
    "features",
    "hub",
    "overview",
    "predictions",
    "registry",
    "simulation",
    "spokes",
    "sync",
    "training",
)
VENDOR = STATIC / "vendor"
# What REST tells in another shape, or not at all.
OTHERWISE = {
    "costs.CostGroup",
    "costs.CostGroupPage",
    "costs.CostReport",
    "costs.GraphCost",
    "costs.RunCostPage",
    "predictions.Copied",
}
ROUTES = """
GET /
GET /costs
POST /costs/budgets
POST /example
GET /failures
POST /failures
GET /failures/{failure_id}
POST /failures/{failure_id}
GET /health/features
GET /hub
POST /hub/apply
POST /hub/features/deploy
GET /operations
GET /operations/running
GET /operations/{operation_id}
POST /operations/{operation_id}/cancel
POST /operations/{operation_id}/resume
POST /read
GET /runs
POST /runs/retry
POST /runs/views
POST /runs/views/{view_id}
POST /runs/views/{view_id}/delete
GET /simulation
POST /simulation/next
POST /simulation/reset
POST /simulation/run
GET /spokes/{spoke}
GET /spokes/{spoke}/alerts
GET /spokes/{spoke}/features
POST /spokes/{spoke}/features/deploy
POST /spokes/{spoke}/features/profile
GET /spokes/{spoke}/graphs
POST /spokes/{spoke}/graphs/deploy
GET /spokes/{spoke}/graphs/{graph}
POST /spokes/{spoke}/graphs/{graph}/resume
POST /spokes/{spoke}/graphs/{graph}/run
GET /spokes/{spoke}/graphs/{graph}/runs/{run_id}
POST /spokes/{spoke}/graphs/{graph}/runs/{run_id}/again
POST /spokes/{spoke}/graphs/{graph}/runs/{run_id}/cancel
POST /spokes/{spoke}/graphs/{graph}/runs/{run_id}/retry
POST /spokes/{spoke}/graphs/{graph}/schedule
POST /spokes/{spoke}/graphs/{graph}/suspend
GET /spokes/{spoke}/models
POST /spokes/{spoke}/models/{model}/versions/{version}/promote
POST /spokes/{spoke}/onboard
GET /spokes/{spoke}/predictions
POST /spokes/{spoke}/predictions/evaluate
POST /spokes/{spoke}/predictions/run
GET /sync
POST /sync
"""


@pytest.mark.parametrize(
    "name", sorted(str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html"))
)
def test_template_compiles(name):
    source = (TEMPLATES / name).read_text(encoding="utf-8")
    assert templates().get_template(name)
    for glyph in re.findall(r"icon\('([a-z0-9-]+)'", source):
        assert icon(glyph)


def test_route_table():
    found = {
        f"{method} {route.path}"
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert found == set(ROUTES.split("\n")) - {""}


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in VENDOR.glob("*/vendored.json")), ids=lambda p: p.name
)
def test_vendored_files_are_unchanged(folder: Path):
    listed = json.loads((folder / "vendored.json").read_text(encoding="utf-8"))
    assert listed["name"]
    assert listed["version"]
    assert listed["licence"]
    assert "LICENSE" in listed["files"]
    files = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "vendored.json"
    }
    assert files == listed["files"]


def test_every_vendored_folder_is_listed():
    assert {path.parent for path in VENDOR.glob("*/vendored.json")} == set(VENDOR.iterdir())


def test_vendored_icons_are_used():
    text = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.html"))
    text += "".join(file.read_text(encoding="utf-8") for file in (STATIC.parent / "pages").glob("*.py"))
    unused = [file.stem for file in (VENDOR / "tabler-icons/icons").iterdir() if f"{file.stem}" not in text]
    assert unused == []


def test_own_scripts_and_styles_name_no_other_host():
    for file in [*STATIC.glob("*.js"), *STATIC.glob("*.css")]:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"https?://|//cdn|@import|\beval\(|new Function", text), file.name


def test_every_state_has_an_icon():
    for style in STATES.values():
        assert icon(style.icon)
    assert state_style("running") == state_style("EXECUTING")
    assert state_style("Succeeded").word == "SUCCEEDED"
    assert state_style("NEW_WORD").word == "NEW_WORD"


def test_json_in_a_page_cannot_close_its_script():
    text = data({"name": "</script><b>", "n": [1, None]})
    assert "<" not in text
    assert json.loads(text) == {"name": "</script><b>", "n": [1, None]}


@pytest.mark.parametrize("domain", DOMAINS)
def test_schemas_mirror_the_services_types(domain):
    types = importlib.import_module(f"services.{domain}.types")
    schemas = importlib.import_module(f"app.schemas.{domain}")
    checked = 0
    for name, kind in vars(types).items():
        if not (dataclasses.is_dataclass(kind) and kind.__module__ == types.__name__):
            continue
        if f"{domain}.{name}" in OTHERWISE:
            continue
        schema = getattr(schemas, name)
        wanted = {str(item.validation_alias or key) for key, item in schema.model_fields.items()}
        given = {item.name for item in dataclasses.fields(kind)}
        assert wanted - {"next_cursor"} == given - {"next_cursor"}, name
        checked += 1
    assert checked
