"""The TAG clause, and setting tags on objects: https://docs.snowflake.com/en/user-guide/object-tagging"""

from __future__ import annotations

from collections.abc import Mapping

from embedded_account.errors import SnowflakeError, does_not_exist
from embedded_account.names import ObjectName
from embedded_account.parse.cursor import Cursor
from embedded_account.security import granting, privileges
from embedded_account.security.privileges import Securable
from embedded_account.session import Session

Tags = Mapping[ObjectName, str | None]
# The kinds behind a domain of TAG_REFERENCES, where it has several or another name.
_DOMAINS = {"TABLE": ("TABLE", "DYNAMIC TABLE", "VIEW"), "MODULE": ("MODEL",)}


def read_tags(session: Session, cursor: Cursor, required: bool = False) -> dict[ObjectName, str | None]:
    """`[WITH] TAG (name = 'value', …)`, or after SET `TAG name = 'value', …`."""
    if not (cursor.accept("WITH", "TAG") or cursor.accept("TAG")):
        if required:
            raise cursor.error()
        return {}
    bracketed = cursor.accept("(")
    found: dict[ObjectName, str | None] = {}
    while True:
        name = session.resolve(cursor.name())
        cursor.expect("=")
        found[name] = cursor.string()
        if not cursor.accept(","):
            break
    if bracketed:
        cursor.expect(")")
    return found


def read_unset_tags(session: Session, cursor: Cursor) -> dict[ObjectName, str | None]:
    """`UNSET TAG name, …`, behind the word TAG."""
    found: dict[ObjectName, str | None] = {session.resolve(cursor.name()): None}
    while cursor.accept(","):
        found[session.resolve(cursor.name())] = None
    return found


def set_tags(
    session: Session, database: str, domain: str, target: tuple[str, str], tags: Tags, column: str = ""
) -> None:
    """Set (or with None unset) tags inside the caller's transaction; each tag must exist and allow the value."""
    catalog = session.account.catalog_of(database)
    for tag, value in tags.items():
        record = None
        if session.account.has_database(tag.database):
            record = session.account.catalog_of(tag.database).get(session.duck, "TAG", tag.schema, tag.name)
        if record is None:
            raise does_not_exist("Tag", str(tag))
        granting.check_tag(session, tag, _target(session, database, domain, target))
        allowed = record.body.get("allowed_values")
        if value is not None and allowed and value not in allowed:
            raise SnowflakeError(
                f"Tag value '{value}' is not an allowed value for tag '{tag}'. Allowed values are {allowed}.",
                391801,
                "22023",
            )
        catalog.set_tag(session.duck, domain, target, tuple(tag), value, column)


def _target(session: Session, database: str, domain: str, target: tuple[str, str]) -> Securable | None:
    """The object that a tag is set on."""
    schema, name = target
    catalog = session.account.catalog_of(database)
    for kind in _DOMAINS.get(domain, (domain,)):
        record = catalog.get(session.duck, kind, schema, name)
        if record is not None:
            return privileges.of_record(record, database)
    return None
