"""Names of a spoke's objects, and filling them into SQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke_kit.errors import ConfigError
from spoke_kit.layout import Layout
from spoke_kit.names import Names, literal, quote
from spoke_kit.tasks import days_in


def test_schemas_and_prefixes() -> None:
    names = Names(Layout(database="HUB"), "pudo", "dev")
    assert (names.schema, names.feature_store, names.model_registry) == (
        "PUDO_DEV",
        "FEATURE_STORE_DEV",
        "MODEL_REGISTRY_DEV",
    )
    assert names.prefixed("CAPACITY_MODEL") == "PUDO__CAPACITY_MODEL"
    assert names.own("A$B") == '"HUB"."PUDO_DEV"."A$B"'


def test_rendering_fills_known_placeholders_only() -> None:
    names = Names(Layout(database='H"B'), "pudo", "PROD")
    assert (
        names.render("{own:T} {shared:S} {x}", x="1") == '"H""B"."PUDO_PROD"."T" "H""B"."SHARED_DATA"."S" 1'
    )
    for unknown in ("{y}", "{other:T}", "{own}"):
        with pytest.raises(ConfigError):
            names.render(unknown)


@pytest.mark.parametrize(("spoke", "environment"), [("pu do", "DEV"), ("pudo;", "DEV"), ("pudo", "TEST")])
def test_bad_names_are_refused(spoke: str, environment: str) -> None:
    with pytest.raises(ConfigError):
        Names(Layout(), spoke, environment)


@given(st.text())
def test_quotes_and_literals_hold_what_is_in_them(text: str) -> None:
    assert quote(text)[1:-1].replace('""', "").count('"') == 0
    inside = literal(text)[1:-1]
    assert inside.replace("\\\\", "").replace("''", "").count("'") == 0
    assert inside.replace("''", "'").replace("\\\\", "\\") == text


@pytest.mark.parametrize("day", ["2025-7-1", "2025-07-01'; DROP TABLE X", ""])
def test_only_days_become_days(day: str) -> None:
    with pytest.raises(ConfigError):
        days_in([day])
    assert days_in(["2025-07-01", "2025-07-02"]) == "'2025-07-01'::DATE, '2025-07-02'::DATE"
