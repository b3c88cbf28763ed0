"""No two things under one name: the hub's own schemas and roles, and those of each spoke beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.core.errors import Conflict, Invalid
from spoke_kit.layout import SHARED_SPOKE

if TYPE_CHECKING:
    from services.core.hub import Declaration

# Of every account, or its owner's: https://docs.snowflake.com/en/user-guide/security-access-control-overview
_SYSTEM_ROLES = ("ACCOUNTADMIN", "ORGADMIN", "PUBLIC", "SECURITYADMIN", "SYSADMIN", "USERADMIN")


@dataclass(frozen=True, slots=True)
class Named:
    """One schema (database, schema) or role (its name), and what it is in words."""

    kind: str
    name: tuple[str, ...]
    what: str


def check_hub(hub: Declaration) -> None:
    """Invalid 422 when two of the hub's own schemas or roles would be one."""
    for first, second in _twice(_of_hub(hub)):
        raise Invalid(
            f"{first.what} and {second.what} are both the {first.kind} {'.'.join(first.name)}",
            hint="Give each a name of its own.",
        )


def check_spoke(hub: Declaration, spoke: str, others: Iterable[str]) -> None:
    """Conflict 409 ``name_taken`` when a schema, role or prefix of the spoke is the hub's or another spoke's."""
    known = [other for other in others if other != spoke]
    mine = [*_of_spoke(hub, spoke)]
    taken = [*_of_hub(hub), *(named for other in known for named in _of_spoke(hub, other))]
    for first, second in _twice([*taken, *mine]):
        if second not in mine:
            continue
        raise Conflict(
            f"{second.what} would be the {first.kind} {'.'.join(first.name)}, which is {first.what}",
            hint="Give the spoke another name, or the hub another layout.",
            code="name_taken",
        )
    prefix = hub.layout.prefix_of(spoke)
    for other in {*known, SHARED_SPOKE} - {spoke}:
        theirs = hub.layout.prefix_of(other)
        if prefix.startswith(theirs) or theirs.startswith(prefix):
            raise Conflict(
                f"Names of the spoke {spoke} would begin with {prefix!r}, those of the spoke {other} with {theirs!r}",
                hint="What belongs to a spoke is known by how its name begins: take another name.",
                code="name_taken",
            )


def _twice(names: list[Named]) -> Iterator[tuple[Named, Named]]:
    seen: dict[tuple[str, tuple[str, ...]], Named] = {}
    for named in names:
        first = seen.setdefault((named.kind, named.name), named)
        if first is not named:
            yield first, named


def _of_hub(hub: Declaration) -> list[Named]:
    layout = hub.layout
    found = [Named("role", (name,), "Snowflake's own") for name in _SYSTEM_ROLES if name != hub.parent_role]
    found += [Named("role", (hub.role,), "role"), Named("role", (hub.parent_role,), "parent_role")]
    found.append(Named("schema", (layout.shared_database, layout.shared_schema), "layout.shared_schema"))
    for environment in (known.name for known in hub.environments):
        database = layout.database_in(environment)
        for key, name in (
            ("feature_store", layout.feature_store_in(environment)),
            ("model_registry", layout.model_registry_in(environment)),
        ):
            found.append(Named("schema", (database, name), f"layout.{key} of {environment}"))
        producer = layout.producer_in(environment)
        found.append(Named("role", (producer,), f"layout.producer_role of {environment}"))
    return found


def _of_spoke(hub: Declaration, spoke: str) -> Iterator[Named]:
    layout = hub.layout
    for environment in (known.name for known in hub.environments):
        of = f"of the spoke {spoke} in {environment}"
        schema = (layout.database_in(environment), layout.schema_of(spoke, environment))
        yield Named("schema", schema, f"layout.spoke_schema {of}")
        yield Named("role", (layout.owner_of(spoke, environment),), f"layout.owner_role {of}")
        yield Named("role", (layout.reader_of(spoke, environment),), f"layout.reader_role {of}")
