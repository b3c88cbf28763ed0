"""The manifest's reference says every key of every part, as the code has it."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import pytest
from pydantic import Field

import spoke_kit.manifest
from spoke_kit.manifest import Alert, Manifest, Prediction
from spoke_kit.manifest.parts import Name, Part
from tests.guide.conftest import ROOT


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "reference", ROOT / "docs" / "hooks" / "manifest_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_part_of_the_package_is_there(hook: ModuleType) -> None:
    listed = [getattr(spoke_kit.manifest, name) for name in spoke_kit.manifest.__all__]
    made = {one for one in listed if inspect.isclass(one) and issubclass(one, Part)}
    assert set(hook.parts()) == made
    assert hook.parts()[0] is Manifest


def test_every_key_is_there(hook: ModuleType, built: Path) -> None:
    page = (built / "manifest" / "index.html").read_text()
    for part in hook.parts():
        section = page.split(f'id="{part.__name__.lower()}"')[1].split("<h2")[0]
        keys = [field.alias or name for name, field in part.model_fields.items()]
        assert re.findall(r"<tr>\s*<td><code>(\w+)</code>", section) == keys, part


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Every(Part):
    """Every ``kind`` of key."""

    name: Name
    many: Annotated[tuple[Name, ...], Field(min_length=1)] = ()
    one: Alert | None = None
    by_name: Mapping[Name, Prediction] = {}
    colour: Colour = Colour.RED
    choice: Literal["a", "b"] = "a"
    limit: Annotated[float, Field(gt=0)] = 0.5
    count: int = Field(default=7, description="How many | how often.")
    flag: bool = False
    text: str = ""


EVERY = """## Every

Every `kind` of key.

| key | type | default | |
|---|---|---|---|
| `name` | text | required |  |
| `many` | list of text | `[]` |  |
| `one` | [Alert](#alert) | `none` |  |
| `by_name` | mapping of [Prediction](#prediction) by name | `{}` |  |
| `colour` | `red` or `blue` | `red` |  |
| `choice` | `a` or `b` | `a` |  |
| `limit` | number | `0.5` |  |
| `count` | whole number | `7` | How many \\| how often. |
| `flag` | true or false | `false` |  |
| `text` | text | `""` |  |
"""


def test_every_kind_of_key_is_said(hook: ModuleType) -> None:
    assert hook.section(Every) == EVERY
