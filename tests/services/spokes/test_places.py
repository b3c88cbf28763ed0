"""From a schema of the account back to whose it is, as the catalogue says now."""

from __future__ import annotations

from dataclasses import replace

from services.core.hub import load_declaration
from services.db.engine import Database
from services.spokes.places import Places
from services.spokes.repository import Catalogue
from tests.manifests import small

LAYOUT = load_declaration().layout


def test_a_schema_is_of_the_spoke_that_was_onboarded_there(database: Database) -> None:
    catalogue = Catalogue(database, LAYOUT)
    places = Places(catalogue, LAYOUT)
    assert places.place("SPOKEHUB", "ALPHA_DEV") is None
    catalogue.enter(small("alpha"), "DEV")
    # Not before its onboarding is done.
    assert places.place("SPOKEHUB", "ALPHA_DEV") is None
    catalogue.activate("alpha", "DEV")
    assert places.place("SPOKEHUB", "ALPHA_DEV") == ("alpha", "DEV")
    assert places.place("SPOKEHUB", "ALPHA_PROD") is None
    assert places.place("ELSEWHERE", "ALPHA_DEV") is None
    assert places.all() == {("alpha", "DEV"): ("SPOKEHUB", "ALPHA_DEV")}


def test_a_feature_view_is_of_the_spoke_that_its_name_begins_with(database: Database) -> None:
    catalogue = Catalogue(database, LAYOUT)
    for spoke in ("alpha", "alpha_two"):
        catalogue.enter(small(spoke), "DEV")
        catalogue.activate(spoke, "DEV")
    places = Places(catalogue, LAYOUT)
    store = (LAYOUT.database_in("DEV"), LAYOUT.feature_store_in("DEV"))
    assert places.place(*store) is None
    assert places.place(*store, LAYOUT.object_of("alpha", "LEVELS$V1")) == ("alpha", "DEV")
    assert places.place(*store, LAYOUT.object_of("alpha_two", "LEVELS$V1")) == ("alpha_two", "DEV")
    assert places.place(*store, "SHARED__CALENDAR$V1") is None
    elsewhere = (LAYOUT.database_in("PROD"), LAYOUT.feature_store_in("PROD"))
    assert places.place(*elsewhere, LAYOUT.object_of("alpha", "LEVELS$V1")) is None


def test_databases_by_environment_tell_schemas_of_one_name_apart(database: Database) -> None:
    layout = replace(LAYOUT, database="ML_{ENV}", shared_database="ML", spoke_schema="{SPOKE}")
    catalogue = Catalogue(database, layout)
    for environment in ("DEV", "PROD"):
        catalogue.enter(small("alpha"), environment)
        catalogue.activate("alpha", environment)
    places = Places(catalogue, layout)
    assert places.place("ML_DEV", "ALPHA") == ("alpha", "DEV")
    assert places.place("ML_PROD", "ALPHA") == ("alpha", "PROD")
    assert places.place("ML", "ALPHA") is None
