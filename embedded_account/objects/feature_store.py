"""What the FeatureStore client asks besides tags, views and dynamic tables."""

from __future__ import annotations

import json

from embedded_account.errors import unsupported
from embedded_account.functions import scalar_function
from embedded_account.objects.show import read_show
from embedded_account.objects.tags import target_of
from embedded_account.result import Result, rows_result, status
from embedded_account.session import Session
from embedded_account.statements import Statement, statement


@scalar_function("ENTITY_DETAIL")
def entity_detail(session: Session, arguments: list[object]) -> str:
    """Tag references of an object, or the objects of a tag, as JSON; undocumented, read from the client's source."""
    domain, name, wanted = (str(a) for a in arguments[:3])
    found: dict[str, object] = {}
    for part in json.loads(wanted):
        if part == "TAG_REFERENCES_INTERNAL":
            found["referencedEntities"] = {"tagReferenceList": _objects_of_tag(session, name)}
        elif part == "TAG_REFERENCES":
            found["tagReferencesInfo"] = {"tagReferenceList": _tags_of_object(session, domain, name)}
        else:
            raise unsupported(f"ENTITY_DETAIL of {part}")
    return json.dumps(found)


def _reference(database: str, row: dict[str, str], domain: str) -> dict[str, str]:
    return {
        "entityName": row["name"],
        "entitySchema": row["schema_name"],
        "entityDatabase": database,
        "domain": domain,
        "columnName": row["column_name"],
        "tagName": row["tag_name"],
        "tagSchema": row["tag_schema"],
        "tagDatabase": row["tag_database"],
        "tagValue": row["value"],
    }


def _objects_of_tag(session: Session, name: str) -> list[dict[str, str]]:
    tag = session.resolve_text(name)
    found = []
    for database in session.account.databases():
        catalog = session.account.catalog_of(database)
        where = {"tag_database": tag.database, "tag_schema": tag.schema, "tag_name": tag.name}
        for row in catalog.tags(session.duck, **where):
            found.append(_reference(database, row, row["domain"]))
    return found


def _tags_of_object(session: Session, domain: str, text: str) -> list[dict[str, str]]:
    database, schema, name, _, domain = target_of(session, text, domain)
    rows = session.account.catalog_of(database).tags(
        session.duck, domain=domain, schema_name=schema, name=name
    )
    return [_reference(database, row, domain) for row in rows if not row["column_name"]]


_ONLINE = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
]


@statement("SHOW", "ONLINE", "FEATURE", "TABLES")
def show_online_feature_tables(session: Session, current: Statement) -> Result:
    """None can be created here, so there are none."""
    read_show(session, current.cursor)
    return rows_result(_ONLINE, [])


@statement("DROP", "ONLINE", "FEATURE", "TABLE")
def drop_online_feature_table(session: Session, current: Statement) -> Result:
    if not current.accept_if_exists():
        raise unsupported("online feature tables")
    session.resolve(current.cursor.name())
    current.cursor.end()
    return status("Drop statement executed successfully.")
