"""After the bootstrap everything runs as the hub's role; before it, what is missing is said."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snowflake.ml.feature_store import CreationMode, Entity, FeatureStore, FeatureView

from app.errors import of_service
from services.core.errors import SpokehubError
from services.core.hub import load_declaration
from services.snowflake.connection import ConnectionSource
from services.snowflake.preflight import RightsMissing, compare, require
from services.snowflake.rights import MEMBERSHIPS, as_sql, bootstrap, rights
from services.snowflake.scope import Scope
from services.snowflake.wanted import Wanted
from services.snowflake.wanted_hub import hub_objects
from services.snowflake.wanted_spoke import spoke_objects
from services.snowflake.wanted_store import TABLES
from services.spokes.service import Spokes
from spoke_kit.layout import Layout
from tests.manifests import small

HUB = load_declaration()
BringAbout = Any
README = Path(__file__).parents[3] / "README.md"


def scope(spoke: str, environment: str) -> Scope:
    return Scope(HUB, spoke, environment, small(spoke))


def test_the_readme_shows_what_is_granted_once() -> None:
    assert f"```sql\n{as_sql(bootstrap(HUB, 'SPOKEHUB_SERVICE'))}```" in README.read_text()


def test_the_least_that_does() -> None:
    given = {privilege for right in rights(HUB) for privilege in right.privileges}
    assert given == {
        "CREATE DATABASE",
        "CREATE WAREHOUSE",
        "CREATE ROLE",
        "EXECUTE TASK",
        "MONITOR EXECUTION",
    }
    own = {privilege for right in rights(HUB, "THEIRS") for privilege in right.privileges}
    assert given - own == {"CREATE WAREHOUSE"}
    assert own - given == {"USAGE", "OPERATE", "MONITOR", "MODIFY"}
    assert {one.database_role for one in MEMBERSHIPS} == {
        "USAGE_VIEWER",
        "OBJECT_VIEWER",
        "GOVERNANCE_VIEWER",
    }


def test_each_database_is_spoken_of(source: ConnectionSource) -> None:
    assert (
        "-- The hub has databases of its own: MANY, MANY_DEV, MANY_STAGING and MANY_PROD.\n"
        "GRANT CREATE DATABASE ON ACCOUNT TO ROLE SPOKEHUB_ADMIN;\n"
    ) in as_sql(bootstrap(MANY))
    as_administrator(
        source,
        "CREATE ROLE IF NOT EXISTS NEWCOMER",
        "GRANT ROLE NEWCOMER TO USER SPOKEHUB",
        "CREATE DATABASE MANY_DEV",
        "CREATE DATABASE MANY",
    )
    found = compare(lambda text: source.query(text, role="NEWCOMER"), MANY, lambda _: _in_databases())
    as_administrator(source, "DROP DATABASE MANY_DEV", "DROP DATABASE MANY")
    assert [one.statement for one in found.missing] == [
        "GRANT CREATE DATABASE ON ACCOUNT TO ROLE NEWCOMER;",
        "GRANT CREATE SCHEMA ON DATABASE MANY TO ROLE NEWCOMER;",
        "GRANT CREATE SCHEMA ON DATABASE MANY_DEV TO ROLE NEWCOMER;",
    ]


def _in_databases() -> list[Wanted]:
    return [item for item in hub_objects(MANY) if item.kind in ("database", "schema")]


def missing(source: ConnectionSource, role: str) -> dict[str, str]:
    """Right → the statement for somebody who may give it."""
    found = compare(lambda text: source.query(text, role=role), HUB, lambda role: hub_objects(HUB, role))
    return {one.right: one.statement for one in found.missing}


def as_administrator(source: ConnectionSource, *statements: str) -> None:
    with source.open(role="ACCOUNTADMIN") as connection:
        for statement in statements:
            connection.cursor().execute(statement)


def test_a_role_without_rights_is_told_all_of_them_first(source: ConnectionSource) -> None:
    as_administrator(source, "CREATE ROLE IF NOT EXISTS PLATFORM", "GRANT ROLE PLATFORM TO USER SPOKEHUB")
    told = missing(source, "PLATFORM")
    assert told == {
        "CREATE WAREHOUSE ON ACCOUNT": "GRANT CREATE WAREHOUSE ON ACCOUNT TO ROLE PLATFORM;",
        "CREATE ROLE ON ACCOUNT": "GRANT CREATE ROLE ON ACCOUNT TO ROLE PLATFORM;",
        "CREATE DATABASE ON ACCOUNT": "GRANT CREATE DATABASE ON ACCOUNT TO ROLE PLATFORM;",
        "OWNERSHIP ON ROLE SPOKEHUB_ADMIN": "GRANT ROLE SPOKEHUB_ADMIN TO ROLE PLATFORM;",
    }
    with pytest.raises(RightsMissing) as caught:
        require(lambda text: source.query(text, role="PLATFORM"), HUB, lambda role: hub_objects(HUB, role))
    problem = of_service(caught.value)
    document = problem.document("/api/v1/hub/apply")
    assert (document["status"], document["code"]) == (403, "rights_missing")
    assert {one["right"]: one["statement"] for one in document["missing"]} == told
    assert all(one["why"].endswith(".") for one in document["missing"])
    # What the statements give is all that was missing.
    as_administrator(source, *told.values())
    assert missing(source, "PLATFORM") == {}


def test_the_hubs_role_reads_account_usage_and_a_spokes_does_not(
    source: ConnectionSource, bring_about: BringAbout
) -> None:
    bring_about(hub_objects(HUB))
    reading = "SELECT count(*) AS N FROM SNOWFLAKE.ACCOUNT_USAGE."
    for view in ("TASK_HISTORY", "COMPLETE_TASK_GRAPHS", "QUERY_HISTORY", "WAREHOUSE_METERING_HISTORY"):
        assert source.query(reading + view, role="SPOKEHUB_ADMIN")[0]["N"] >= 0
    with pytest.raises(SpokehubError, match="TASK_HISTORY' does not exist or not authorized"):
        source.query(reading + "TASK_HISTORY", role="FEATURE_STORE_DEV_PRODUCER")


MANY = replace(HUB, layout=Layout(database="MANY_{ENV}", shared_database="MANY"))


def test_what_belongs_to_another_role(source: ConnectionSource, bring_about: BringAbout) -> None:
    bring_about(hub_objects(HUB))
    assert missing(source, "SPOKEHUB_ADMIN") == {}
    as_administrator(
        source,
        "GRANT OWNERSHIP ON SCHEMA SPOKEHUB.SHARED_DATA TO ROLE SYSADMIN COPY CURRENT GRANTS",
        "ALTER SCHEMA SPOKEHUB.SHARED_DATA DISABLE MANAGED ACCESS",
    )
    told = missing(source, "SPOKEHUB_ADMIN")
    assert told == {
        "OWNERSHIP ON SCHEMA SPOKEHUB.SHARED_DATA": "GRANT OWNERSHIP ON SCHEMA SPOKEHUB.SHARED_DATA "
        "TO ROLE SPOKEHUB_ADMIN COPY CURRENT GRANTS;"
    }
    as_administrator(source, *told.values())
    assert bring_about(hub_objects(HUB))[0]["changed"] == 1


def test_a_custom_role_becomes_a_member_of_what_it_makes(source: ConnectionSource) -> None:
    """Its own hub, beside the other: what it makes is reached by its users."""
    renamed = replace(HUB, role="OTHER_HUB", layout=Layout(database="OTHER"))
    wanted = hub_objects(renamed, "PLATFORM")
    grants = [one.grant for one in wanted if one.grant is not None and one.grant.on == "ROLE"]
    assert ("OTHER_HUB", "PLATFORM") in {(grant.name, grant.role) for grant in grants}
    assert "PLATFORM" not in {one.grant.role for one in hub_objects(HUB) if one.grant is not None}


@pytest.mark.parametrize(
    ("environment", "order"), [("DEV", ("alpha", "beta")), ("STAGING", ("beta", "alpha"))]
)
def test_two_spokes_in_one_feature_store(
    source: ConnectionSource, bring_about: BringAbout, environment: str, order: tuple[str, str]
) -> None:
    spokes = {name: scope(name, environment) for name in order}
    bring_about([*hub_objects(HUB), *(item for one in spokes.values() for item in spoke_objects(one))])
    table = "SPOKEHUB.SHARED_DATA.READINGS"
    source.query(f"CREATE TABLE IF NOT EXISTS {table} (ID INT, MOMENT TIMESTAMP_NTZ, V FLOAT)")
    for name in order:
        with store_session(source, spokes[name]) as (session, store):
            store.register_entity(Entity(name.upper(), ["ID"]))
            register(session, store, f"{name}__V", store.get_entity(name.upper()), table)
            register(session, store, f"{name}__D", store.get_entity(name.upper()), table, "1 day")
    first, second = order
    with store_session(source, spokes[second]) as (session, store):
        foreign = store.get_entity(first.upper())
        with pytest.raises(Exception, match="Insufficient privileges to operate on tag"):
            register(session, store, f"{second}__SHARED", foreign, table)
        share(source, spokes[second])
        register(session, store, f"{second}__SHARED", foreign, table)
        names = {row["NAME"] for row in store.list_feature_views().collect()}
    assert names == {f"{one}__{kind}".upper() for one in order for kind in ("V", "D")} | {
        f"{second}__SHARED".upper()
    }
    owners = source.query(f"SHOW TABLES IN SCHEMA {spokes[first].feature_store}")
    assert {row["owner"] for row in owners if row["name"] in TABLES} == {
        f"FEATURE_STORE_{environment}_PRODUCER"
    }


@contextmanager
def store_session(source: ConnectionSource, scope: Scope) -> Any:
    """The feature store as the spoke's owner opens it."""
    with source.session(role=scope.owner_role, database=scope.database) as session:
        mode = CreationMode.CREATE_IF_NOT_EXIST
        yield (
            session,
            FeatureStore(
                session, scope.database, scope.feature_store.name, HUB.warehouse.name, creation_mode=mode
            ),
        )


def register(
    session: Any, store: FeatureStore, name: str, entity: Entity, table: str, refresh: str | None = None
) -> None:
    frame = session.sql(f"SELECT ID, MOMENT, V AS {name.upper()}_V FROM {table}")
    view = FeatureView(name.upper(), [entity], frame, timestamp_col="MOMENT", refresh_freq=refresh)
    store.register_feature_view(view, "V1")


def share(source: ConnectionSource, scope: Scope) -> None:
    context = SimpleNamespace(connect=source.open, log=lambda *_: None, progress=lambda *_: None)
    assert Spokes(HUB, None, source, None).share_entities(context, scope) > 0  # type: ignore[arg-type]
    assert Spokes(HUB, None, source, None).share_entities(context, scope) == 0  # type: ignore[arg-type]


def test_the_stores_tables_are_the_clients(source: ConnectionSource, bring_about: BringAbout) -> None:
    """What the client makes of nothing has the same columns."""
    bring_about(hub_objects(HUB))
    as_administrator(source, "CREATE DATABASE IF NOT EXISTS COMPARED")
    with source.session(role="ACCOUNTADMIN") as session:
        mode = CreationMode.CREATE_IF_NOT_EXIST
        store = FeatureStore(session, "COMPARED", "FS", HUB.warehouse.name, creation_mode=mode)
        store._metadata_manager.ensure_table_exists()
        for name in TABLES:
            described = [
                session.sql(f"DESCRIBE TABLE {place}.{name}").collect()
                for place in ("COMPARED.FS", "SPOKEHUB.FEATURE_STORE_DEV")
            ]
            assert described[0] == described[1]
            assert described[0]
