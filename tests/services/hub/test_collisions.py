"""Names that would be two things' are refused before anything is made."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.collisions import check_hub, check_spoke
from services.core.errors import Conflict, Invalid
from services.core.hub import FILE, Declaration, DeclaredEnvironment, load_declaration
from services.snowflake.scope import Scope
from spoke_kit.layout import Layout

HUB = load_declaration()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"model_registry": "FEATURE_STORE_{ENV}"},
            "layout.feature_store of DEV and layout.model_registry of DEV are both the schema "
            "SPOKEHUB.FEATURE_STORE_DEV",
        ),
        (
            {"shared_schema": "MODEL_REGISTRY_PROD"},
            "layout.shared_schema and layout.model_registry of PROD are both the schema "
            "SPOKEHUB.MODEL_REGISTRY_PROD",
        ),
    ],
)
def test_the_hubs_own(changed: dict[str, str], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_hub(replace(HUB, layout=Layout(**changed)))
    assert caught.value.message == message


def test_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(FILE.read_text().replace("role: SPOKEHUB_ADMIN", "role: FEATURE_STORE_DEV_PRODUCER"))
    with pytest.raises(Invalid) as caught:
        load_declaration(path)
    assert caught.value.message == (
        "hub.yaml: role and layout.producer_role of DEV are both the role FEATURE_STORE_DEV_PRODUCER"
    )


def test_the_same_names_in_other_databases_are_apart() -> None:
    layout = Layout(database="X_{ENV}", shared_database="X_DEV", feature_store="F", model_registry="M")
    check_hub(replace(HUB, layout=layout))


@pytest.mark.parametrize(
    ("spoke", "others", "message"),
    [
        (
            "feature_store",
            [],
            "layout.spoke_schema of the spoke feature_store in DEV would be the schema "
            "SPOKEHUB.FEATURE_STORE_DEV, which is layout.feature_store of DEV",
        ),
        ("a__b", ["a"], "Names of the spoke a__b would begin with 'A__B__', those of the spoke a with 'A__'"),
        ("a", ["a__b"], "Names of the spoke a would begin with 'A__', those of the spoke a__b with 'A__B__'"),
        (
            "shared__x",
            [],
            "Names of the spoke shared__x would begin with 'SHARED__X__', those of the spoke shared with "
            "'SHARED__'",
        ),
        (
            "a_pre",
            ["b", "a"],
            "layout.spoke_schema of the spoke a_pre in PROD would be the schema SPOKEHUB.A_PRE_PROD, which is "
            "layout.spoke_schema of the spoke a in PRE_PROD",
        ),
    ],
)
def test_a_spoke_whose_names_are_taken(spoke: str, others: list[str], message: str) -> None:
    environments = (*HUB.environments, DeclaredEnvironment("PRE_PROD"))
    with pytest.raises(Conflict) as caught:
        check_spoke(replace(HUB, environments=environments), spoke, others)
    assert (caught.value.code, caught.value.message) == ("name_taken", message)


@pytest.mark.parametrize("key", ["owner_role", "reader_role"])
def test_a_role_that_is_the_feature_stores(key: str) -> None:
    hub = replace(HUB, layout=Layout(**{key: "{ENV}_{SPOKE}", "producer_role": "{ENV}_FEATURES"}))
    with pytest.raises(Conflict) as caught:
        check_spoke(hub, "features", [])
    assert caught.value.message == (
        f"layout.{key} of the spoke features in DEV would be the role DEV_FEATURES, which is "
        "layout.producer_role of DEV"
    )


@pytest.mark.parametrize("spoke", ["pudo", "delivery", "shared", "a_b"])
def test_a_spoke_of_its_own(spoke: str) -> None:
    check_spoke(HUB, spoke, ["pudo", "delivery", "shared", "a", spoke])
    layout = Layout(database="X_{ENV}", shared_database="X", spoke_schema="{SPOKE}")
    check_spoke(replace(HUB, layout=layout), spoke, ["pudo", "delivery", "shared", "a"])


NAMES = st.lists(
    st.from_regex(r"[a-c_]{0,2}(_dev|__prod)?", fullmatch=True), min_size=1, max_size=3, unique=True
)
LAYOUTS = st.sampled_from(
    [
        Layout(),
        Layout(spoke_schema="{ENV}{SPOKE}", owner_role="{SPOKE}_{ENV}", reader_role="{SPOKE}{ENV}"),
        Layout(object="{SPOKE}{NAME}", owner_role="{SPOKE}_{ENV}_X", reader_role="{SPOKE}_{ENV}"),
        Layout(database="X_{ENV}", shared_database="X", spoke_schema="{SPOKE}", object="X{SPOKE}_{NAME}"),
    ]
)


@given(LAYOUTS, NAMES.map(lambda names: [f"a{name}" for name in names]))
def test_spokes_that_pass_share_nothing(layout: Layout, spokes: list[str]) -> None:
    """And those that do not pass do share something, by rendering every name."""
    hub = replace(HUB, layout=layout, environments=(*map(DeclaredEnvironment, ("DEV", "PROD", "DEV_PROD")),))
    entered: list[str] = []
    for spoke in spokes:
        try:
            check_spoke(hub, spoke, entered)
        except Conflict:
            assert shared_by(hub, [*entered, spoke])
        else:
            entered.append(spoke)
            assert not shared_by(hub, entered)


def shared_by(hub: Declaration, spokes: list[str]) -> bool:
    """Whether any schema or role is rendered twice, or one prefix begins with another."""
    scopes = [Scope(hub, spoke, one.name) for spoke in spokes for one in hub.environments]
    names = [str(scope.schema) for scope in scopes]
    names += [role for scope in scopes for role in (scope.owner_role, scope.reader_role)]
    names += {str(place) for scope in scopes for place in (scope.feature_store, scope.registry, scope.shared)}
    names += {*(scope.producer_role for scope in scopes), hub.role, hub.parent_role}
    prefixes = [hub.layout.prefix_of(spoke) for spoke in ("shared", *spokes)]
    clash = any(one.startswith(other) for one, other in permutations(prefixes, 2))
    return clash or len(names) != len(set(names))
