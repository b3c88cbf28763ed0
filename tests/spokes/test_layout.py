"""Templates of names: what they give, which ones are refused, and that no two things get one name."""

from __future__ import annotations

from dataclasses import fields
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke_kit.errors import ConfigError
from spoke_kit.layout import PLACEHOLDERS, SHARED_SPOKE, Layout
from spoke_kit.names import Names

BY_ENVIRONMENT = {"database": "mlops {env}", "shared_database": "MLOPS", "spoke_schema": "team-{spoke}"}


def test_the_usual_names() -> None:
    names = Names(Layout(), "pudo", "dev")
    assert (
        names.database, names.schema, names.feature_store, names.model_registry, names.prefixed("M"),
        names.own("T"), names.shared("S"),
    ) == (
        "SPOKEHUB", "PUDO_DEV", "FEATURE_STORE_DEV", "MODEL_REGISTRY_DEV", "PUDO__M",
        '"SPOKEHUB"."PUDO_DEV"."T"', '"SPOKEHUB"."SHARED_DATA"."S"',
    )  # fmt: skip
    layout = names.layout
    assert (layout.owner_of("pudo", "DEV"), layout.reader_of("pudo", "DEV"), layout.producer_in("DEV")) == (
        "PUDO_DEV_OWNER",
        "PUDO_DEV_READER",
        "FEATURE_STORE_DEV_PRODUCER",
    )


def test_names_of_a_database_for_each_environment() -> None:
    layout = Layout.read({**BY_ENVIRONMENT, "object": "{spoke}.{NAME}", "shared_object": "hub.{NAME}"})
    names = Names(layout, "pudo", "PROD")
    assert (names.database, names.schema, names.feature_store) == (
        "mlops prod",
        "team-pudo",
        "FEATURE_STORE_PROD",
    )
    assert names.shared("S") == '"MLOPS"."SHARED_DATA"."S"'
    assert names.prefixed("Fill {rate}") == "pudo.Fill {rate}"
    assert Names(layout, SHARED_SPOKE, "PROD").prefixed("CALENDAR") == "hub.CALENDAR"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"databse": "X"}, "layout: unknown keys databse"),
        ({"database": ""}, "layout.database: '' is not a name"),
        ({"shared_schema": 5}, "layout.shared_schema: 5 is not a name"),
        ({"database": "HUB_{SPOKE}"}, "layout.database: 'HUB_{SPOKE}' holds {SPOKE}"),
        ({"database": "HUB_{ENV}"}, "layout.shared_database: is missing, and database is 'HUB_{ENV}'"),
        (
            {"shared_database": "HUB_{ENV}"},
            "layout.shared_database: 'HUB_{ENV}' holds {ENV}",
        ),
        ({"spoke_schema": "{ENV}"}, "layout.spoke_schema: '{ENV}' has no {SPOKE}"),
        ({"spoke_schema": "{SPOKE}"}, "layout.spoke_schema: '{SPOKE}' has no {ENV}"),
        ({"feature_store": "FEATURES"}, "layout.feature_store: 'FEATURES' has no {ENV}"),
        ({"model_registry": "{SPOKE}_{ENV}"}, "layout.model_registry: '{SPOKE}_{ENV}' holds {SPOKE}"),
        ({"spoke_schema": "{SPOKE}_{ENVIRONMENT}"}, "'{SPOKE}_{ENVIRONMENT}' holds {ENVIRONMENT}"),
        ({"spoke_schema": "{Spoke}_{ENV}"}, "layout.spoke_schema: '{Spoke}_{ENV}' holds {Spoke}"),
        ({"spoke_schema": "{SPOKE_{ENV}"}, "has a brace that belongs to no placeholder"),
        ({"object": "ML__{NAME}"}, "layout.object: 'ML__{NAME}' has no {SPOKE}"),
        ({"object": "{SPOKE}__"}, "layout.object: '{SPOKE}__' has no {NAME}"),
        ({"object": "{NAME}_{SPOKE}"}, "'{NAME}_{SPOKE}' does not end with {NAME} after a prefix"),
        ({"shared_object": "{NAME}"}, "layout.shared_object: '{NAME}' does not end with {NAME} after"),
        ({"shared_object": "{NAME}_{NAME}"}, "layout.shared_object: '{NAME}_{NAME}' does not end with"),
        ({**BY_ENVIRONMENT, "owner_role": "{SPOKE}"}, "layout.owner_role: '{SPOKE}' has no {ENV}"),
        ({**BY_ENVIRONMENT, "producer_role": "P"}, "layout.producer_role: 'P' has no {ENV}"),
        ({"reader_role": "{SPOKE}_{ENV}_OWNER"}, "'{SPOKE}_{ENV}_OWNER' is owner_role as well"),
        ({"shared_schema": "INFORMATION_SCHEMA"}, "INFORMATION_SCHEMA is Snowflake's own"),
        ({"database": "SNOWFLAKE"}, "layout.database: SNOWFLAKE is Snowflake's own"),
        ({"shared_schema": "A\nB"}, "layout.shared_schema: 'A\\nB' cannot be a name"),
        ({"shared_schema": "A" * 256}, "cannot be a name"),
    ],
)
def test_what_cannot_be_used_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Layout.read(values)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", "null", '{"database": "{SPOKE}"}'])
def test_a_text_that_is_no_layout(text: str) -> None:
    with pytest.raises(ConfigError):
        Layout.parse(text)


def templates(*placeholders: str) -> st.SearchStrategy[str]:
    """Any order of these with anything but braces and unprintable characters between them."""
    filling = st.text(st.characters(exclude_characters="{}", exclude_categories=("C", "Z")), max_size=3)
    return st.permutations(placeholders).flatmap(
        lambda order: st.tuples(*[filling] * (len(order) + 1)).map(
            lambda between: between[0] + "".join(map("".join, zip(order, between[1:], strict=True)))
        )
    )


SPOKE, ENV = st.sampled_from(["{SPOKE}", "{spoke}"]), st.sampled_from(["{ENV}", "{env}"])
BOTH = st.tuples(SPOKE, ENV).flatmap(lambda found: templates(*found))
LAYOUTS = st.fixed_dictionaries(
    {"database": ENV.flatmap(templates), "shared_database": st.just("S")}
    | {"spoke_schema": SPOKE.flatmap(templates), "owner_role": BOTH, "reader_role": BOTH}
    | {"object": SPOKE.flatmap(templates).map(lambda text: text + "{NAME}")}
).filter(lambda values: values["owner_role"] != values["reader_role"])
SPOKES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,3}", fullmatch=True), min_size=2, max_size=4, unique=True)


@given(LAYOUTS, SPOKES)
def test_two_spokes_and_two_environments_never_share(values: dict[str, str], spokes: list[str]) -> None:
    layout = Layout.read(values)
    assert Layout.parse(layout.text) == layout
    places = [Names(layout, spoke, environment) for spoke in spokes for environment in ("DEV", "PROD")]
    for one, other in combinations(places, 2):
        assert (one.database, one.schema) != (other.database, other.schema)
        same_spoke, same_environment = one.spoke == other.spoke, one.environment == other.environment
        assert (one.database == other.database) == same_environment
        if not same_spoke:
            assert one.prefixed("X") != other.prefixed("X")


@given(st.sampled_from([Layout(), Layout.read(BY_ENVIRONMENT)]))
def test_apart_begins_with_the_name(layout: Layout) -> None:
    apart = layout.apart("V_1")
    assert (apart.shared_database, apart.by_environment) == ("V_1", layout.by_environment)
    for name in (apart.database, apart.owner_role, apart.reader_role, apart.producer_role):
        assert name.startswith("V_1")
    kept = ("shared_schema", "feature_store", "model_registry", "spoke_schema", "object", "shared_object")
    assert [getattr(apart, key) for key in kept] == [getattr(layout, key) for key in kept]


def test_the_documents_table_is_true() -> None:
    text = (Path(__file__).parents[2] / "docs" / "layout.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line[:3] == "| `"
    ]
    told = {key.strip("`"): default.strip("`") for key, default, _, _ in rows}
    usual = {one.name: str(one.default) for one in fields(Layout)}
    assert told == {**usual, "shared_database": "the `database"}
    other = Layout.read({key.strip("`"): example.strip("`") for key, _, example, _ in rows})
    assert other.by_environment
    may = {key.strip("`"): set(holds.replace("`", "").split(", ")) - {""} for key, _, _, holds in rows}
    assert may == PLACEHOLDERS
