"""The wanted objects against a real account: made once, found again, told apart when they differ."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.core.hub import load_declaration
from services.core.settings import read_settings
from services.snowflake.applying import apply, reader
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.inventory import Inventory
from services.snowflake.scope import Scope
from services.snowflake.wanted import Wanted
from services.snowflake.wanted_hub import hub_objects
from services.snowflake.wanted_spoke import spoke_objects

HUB = load_declaration()
OBJECTS = [*hub_objects(HUB), *spoke_objects(Scope(HUB, "pudo", "DEV"))]
# What an administrator has done before.
BOOTSTRAPPED = (
    "SPOKEHUB_ADMIN",
    "USAGE ON ROLE SPOKEHUB_ADMIN TO SYSADMIN",
    "EXECUTE TASK, MONITOR EXECUTION ON ACCOUNT TO SPOKEHUB_ADMIN",
)


class Quiet:
    """The step of an operation, as far as applying asks of it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(message)

    def progress(self, fraction: float | None, message: str | None = None) -> None:
        assert fraction is not None


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSource]:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path_factory.mktemp("hub"))})
    embedded = EmbeddedAccount.of(settings)
    assert embedded is not None
    embedded.start()
    source = ConnectionSource(settings.account, embedded, HUB)
    yield source
    source.close()
    embedded.stop()


def states(source: ConnectionSource) -> dict[str, str]:
    """The objects that are not as wanted."""
    found = Inventory(HUB, source.query).compare(OBJECTS)
    return {
        f"{one.wanted.kind} {one.wanted.name}": f"{one.state} {one.actual}"
        for one in found
        if one.state != "present"
    }


def bring_about(source: ConnectionSource, objects: list[Wanted]) -> tuple[dict[str, int], list[str]]:
    step = Quiet()
    with source.open() as connection:
        findings = Inventory(HUB, reader(connection)).compare(objects)
        counts = apply(step, findings, connection)
    # The connections at hand began without the warehouse.
    source.renew()
    return counts, step.lines


def test_everything_is_made_once(source: ConnectionSource) -> None:
    left = [f"{item.kind} {item.name}" for item in OBJECTS if item.name not in BOOTSTRAPPED]
    assert list(states(source)) == left
    counts, lines = bring_about(source, OBJECTS)
    assert counts == {"created": len(left), "changed": 0, "present": len(BOOTSTRAPPED)}
    assert lines == [f"Created {name}" for name in left]
    assert states(source) == {}
    assert bring_about(source, OBJECTS) == ({"created": 0, "changed": 0, "present": len(OBJECTS)}, [])


def test_what_differs_is_mended(source: ConnectionSource) -> None:
    bring_about(source, OBJECTS)
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
    bring_about(source, OBJECTS)
    assert states(source) == {}


def test_schemas_that_nobody_declared(source: ConnectionSource) -> None:
    bring_about(source, OBJECTS)
    inventory = Inventory(HUB, source.query)
    assert inventory.foreign_schemas(OBJECTS) == []
    source.query("CREATE SCHEMA SPOKEHUB.NOTES")
    assert Inventory(HUB, source.query).foreign_schemas(OBJECTS) == ["SPOKEHUB.NOTES"]


def test_the_owner_holds_no_more_than_its_part(source: ConnectionSource) -> None:
    bring_about(source, OBJECTS)
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
