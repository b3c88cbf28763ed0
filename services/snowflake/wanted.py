"""Objects that the hub and its spokes should consist of, each with the statements that bring it about.

What exists is read by ``inventory``; a plan is the comparison of the two. The objects themselves are listed in
``wanted_hub``, ``wanted_store`` and ``wanted_spoke``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.snowflake.identifiers import QualifiedName, literal, quote

# The tags that Spokehub sets by itself, where hub.yaml declares them.
SPOKE_TAG, ENVIRONMENT_TAG = "SPOKEHUB_SPOKE", "SPOKEHUB_ENVIRONMENT"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object. ``settings`` maps columns of its SHOW row to what they should say.

    ``create`` makes it, ``change`` mends its settings; both may be repeated without harm.
    """

    kind: str
    name: str
    create: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    change: str = ""
    comment: str | None = None
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges on one thing to one role. ``on`` is as in GRANT: kind and name, or ACCOUNT."""

    privileges: tuple[str, ...]
    on: str
    name: str
    role: str
    future: str | None = None

    @property
    def title(self) -> str:
        things = f"FUTURE {self.future}S IN " if self.future else ""
        return f"{', '.join(self.privileges)} ON {things}{self.on} {self.name}".strip() + f" TO {self.role}"

    def statements(self) -> tuple[str, ...]:
        """GRANT; a grant on future objects is made on those that exist as well."""
        privileges, role = ", ".join(self.privileges), quote(self.role)
        if self.future:
            return tuple(
                f"GRANT {privileges} ON {which} {self.future}S IN {self.on} {self.name} TO ROLE {role}"
                for which in ("FUTURE", "ALL")
            )
        if self.on == "ROLE":
            return (f"GRANT ROLE {self.name} TO ROLE {role}",)
        return (f"GRANT {privileges} ON {self.on} {self.name}".rstrip() + f" TO ROLE {role}",)


def wanted_schema(name: QualifiedName, comment: str) -> Wanted:
    """A schema whose owner alone grants on what others make in it.

    Else grants on future objects would take MANAGE GRANTS, which is nearly all the power in an account.
    https://docs.snowflake.com/en/user-guide/security-access-control-configure#creating-managed-access-schemas
    """
    statement = f"CREATE SCHEMA IF NOT EXISTS {name} WITH MANAGED ACCESS COMMENT = {literal(comment)}"
    return Wanted(
        "schema",
        str(name),
        (statement,),
        {"options": "MANAGED ACCESS"},
        f"ALTER SCHEMA {name} ENABLE MANAGED ACCESS",
        comment=comment,
    )


def wanted_role(name: str, comment: str) -> Wanted:
    statement = f"CREATE ROLE IF NOT EXISTS {quote(name)} COMMENT = {literal(comment)}"
    return Wanted("role", name, (statement,), comment=comment)


def wanted_tag(name: QualifiedName, comment: str) -> Wanted:
    statement = f"CREATE TAG IF NOT EXISTS {name} COMMENT = {literal(comment)}"
    return Wanted("tag", str(name), (statement,), comment=comment)


def wanted_tag_value(schema: QualifiedName, tag: QualifiedName, value: str) -> Wanted:
    statement = f"ALTER SCHEMA {schema} SET TAG {tag} = {literal(value)}"
    return Wanted("tag value", f"{tag.name} on {schema}", (statement,), {"value": value}, statement)


def wanted_grant(grant: Grant) -> Wanted:
    return Wanted("grant", grant.title, grant.statements(), grant=grant)


def schemas_of(objects: Sequence[Wanted]) -> list[str]:
    """The schemas among ``objects``, as ``database.schema``."""
    return [item.name for item in objects if item.kind == "schema"]
