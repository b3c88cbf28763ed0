"""The wanted objects against a real account: made once, found again, told apart when they differ."""

from dataclasses import replace
from typing import Any

import pytest

from services.core.errors import Invalid
from services.core.hub import load_declaration
from services.snowflake.connection import ConnectionSource
from services.snowflake.inventory import Inventory
from services.snowflake.scope import Scope
from services.snowflake.wanted_hub import hub_objects
from services.snowflake.wanted_spoke import check_cost_tags, spoke_objects
from tests.manifests import small

BringAbout = Any
HUB = load_declaration()
OBJECTS = [*hub_objects(HUB), *spoke_objects(Scope(HUB, "pudo", "DEV"))]
# What an administrator has done before.
BOOTSTRAPPED = (
    "SPOKEHUB_ADMIN",
    "USAGE ON ROLE SPOKEHUB_ADMIN TO SYSADMIN",
    "EXECUTE TASK, MONITOR EXECUTION ON ACCOUNT TO SPOKEHUB_ADMIN",
)


def states(source: ConnectionSource) -> dict[str, str]:
    """The objects that are not as wanted."""
    found = Inventory(HUB, source.query).compare(OBJECTS)
    return {
        f"{one.wanted.kind} {one.wanted.name}": f"{one.state} {one.actual}"
        for one in found
        if one.state != "present"
    }


def test_everything_is_made_once(source: ConnectionSource, bring_about: BringAbout) -> None:
    left = [f"{item.kind} {item.name}" for item in OBJECTS if item.name not in BOOTSTRAPPED]
    assert list(states(source)) == left
    counts, lines = bring_about(OBJECTS)
    assert counts == {"created": len(left), "changed": 0, "present": len(BOOTSTRAPPED)}
    assert lines == [f"Created {name}" for name in left]
    assert states(source) == {}
    assert bring_about(OBJECTS) == ({"created": 0, "changed": 0, "present": len(OBJECTS)}, [])


def test_what_differs_is_mended(source: ConnectionSource, bring_about: BringAbout) -> None:
    bring_about(OBJECTS)
    grant = "USAGE, OPERATE, MONITOR ON WAREHOUSE SPOKEHUB_WH TO SPOKEHUB_ADMIN"
    for statement in (
        "ALTER WAREHOUSE SPOKEHUB_WH SET AUTO_SUSPEND = 600",
        "REVOKE OPERATE ON WAREHOUSE SPOKEHUB_WH FROM ROLE SPOKEHUB_ADMIN",
        "ALTER SCHEMA SPOKEHUB.PUDO_DEV SET TAG SPOKEHUB.SHARED_DATA.SPOKEHUB_SPOKE = 'another'",
        "DROP ROLE PUDO_DEV_READER",
    ):
        source.query(statement)
    differs = states(source)
    assert differs["warehouse SPOKEHUB_WH"] == "changed size X-Small, auto_suspend 600"
    assert differs[f"grant {grant}"] == "changed MONITOR, USAGE"
    assert differs["tag value SPOKEHUB_SPOKE on SPOKEHUB.PUDO_DEV"] == "changed value another"
    assert differs["role PUDO_DEV_READER"] == "missing None"
    bring_about(OBJECTS)
    assert states(source) == {}


def test_schemas_that_nobody_declared(source: ConnectionSource, bring_about: BringAbout) -> None:
    bring_about(OBJECTS)
    inventory = Inventory(HUB, source.query)
    assert inventory.foreign_schemas(OBJECTS) == []
    source.query("CREATE SCHEMA SPOKEHUB.NOTES")
    assert Inventory(HUB, source.query).foreign_schemas(OBJECTS) == ["SPOKEHUB.NOTES"]


def test_the_owner_holds_no_more_than_its_part(source: ConnectionSource, bring_about: BringAbout) -> None:
    bring_about(OBJECTS)
    rows: list[dict[str, Any]] = source.query("SHOW GRANTS TO ROLE PUDO_DEV_OWNER")
    held = {(row["privilege"], row["granted_on"], row["name"]) for row in rows}
    schemas = {name for _, on, name in held if on == "SCHEMA"}
    assert schemas == {
        "SPOKEHUB.PUDO_DEV",
        "SPOKEHUB.SHARED_DATA",
        "SPOKEHUB.FEATURE_STORE_DEV",
        "SPOKEHUB.MODEL_REGISTRY_DEV",
    }
    assert {name for name, on, _ in held if on == "ACCOUNT"} == {"EXECUTE TASK"}
    shared = {name for name, on, schema in held if (on, schema) == ("SCHEMA", "SPOKEHUB.SHARED_DATA")}
    assert shared == {"USAGE"}
    assert not any(privilege in ("OWNERSHIP", "ALL", "MANAGE GRANTS") for privilege, _, _ in held)


def test_the_spokes_cost_tags(source: ConnectionSource, bring_about: BringAbout) -> None:
    hub = replace(HUB, cost_tags={**HUB.cost_tags, "CENTRE": "Who pays", "UNUSED": "Nobody's"})
    tags = {"CENTRE": "Net's", "GONE": "no longer declared"}
    wanted = [*hub_objects(hub), *spoke_objects(Scope(hub, "pudo", "DEV", small(cost_tags=tags)))]
    bring_about(wanted)
    rows = source.query(
        "SELECT TAG_NAME, TAG_VALUE FROM"
        " TABLE(SPOKEHUB.INFORMATION_SCHEMA.TAG_REFERENCES('SPOKEHUB.PUDO_DEV', 'SCHEMA'))"
    )
    assert {row["TAG_NAME"]: row["TAG_VALUE"] for row in rows} == {
        "CENTRE": "Net's",
        "SPOKEHUB_ENVIRONMENT": "DEV",
        "SPOKEHUB_SPOKE": "pudo",
    }
    assert bring_about(wanted) == ({"created": 0, "changed": 0, "present": len(wanted)}, [])


@pytest.mark.parametrize(
    ("tags", "code", "message"),
    [
        ({"CENTRE": "7", "TEAM": "x"}, "unknown_cost_tag", "cost_tags: hub.yaml declares no tag TEAM"),
        ({"SPOKEHUB_SPOKE": "x"}, "reserved_cost_tag", "cost_tags: SPOKEHUB_SPOKE is set by Spokehub itself"),
    ],
)
def test_a_cost_tag_that_is_not_for_the_spoke(tags: dict[str, str], code: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_cost_tags(replace(HUB, cost_tags={"CENTRE": "Who pays"}), tags)
    assert (caught.value.code, caught.value.message) == (code, message)
