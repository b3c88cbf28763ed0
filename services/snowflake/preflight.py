"""Which rights are missing for what is about to be made: said before, in sentences, rather than met halfway.

It reads SHOW alone, so it needs no warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from services.core.errors import SpokehubError
from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName, quote
from services.snowflake.inventory import Finding, Inventory, Query
from services.snowflake.rights import ADMINISTRATOR
from services.snowflake.wanted import Grant, Wanted

# The right on the account with which an object of this kind is made.
_CREATES = {
    "role": "CREATE ROLE",
    "warehouse": "CREATE WAREHOUSE",
    "compute pool": "CREATE COMPUTE POOL",
    "database": "CREATE DATABASE",
}
_IN_SCHEMA = {"tag": "CREATE TAG", "table": "CREATE TABLE"}


@dataclass(frozen=True, slots=True)
class MissingRight:
    """One right, what it is needed for, and the statement for somebody who may give it."""

    right: str
    why: str
    statement: str


class RightsMissing(SpokehubError):
    """The role that applies may not do all of it. ``missing`` says what, and who helps how."""

    code, status, title = "rights_missing", 403, "Rights are missing"

    def __init__(self, role: str, missing: Sequence[MissingRight]) -> None:
        count = len(missing)
        super().__init__(
            f"The role {role} lacks {count} {'right' if count == 1 else 'rights'}: "
            + "; ".join(one.right for one in missing),
            hint="Let somebody who has them run the statements; spokehub bootstrap --print shows all that is "
            "needed once.",
        )
        self.missing = [asdict(one) for one in missing]


@dataclass(frozen=True)
class Applicant:
    """Who applies: the active role, the user, all roles that are reached, and rights on the account.

    ``account`` maps a right on the account to whether it may be given on.
    """

    role: str
    user: str
    reach: frozenset[str]
    account: dict[str, bool] = field(default_factory=dict)

    @property
    def administrator(self) -> bool:
        return ADMINISTRATOR in self.reach

    def owns(self, owner: object) -> bool:
        return self.administrator or owner in self.reach

    def may(self, right: str, *, grant: bool = False) -> bool:
        return self.administrator or self.account.get(right, False) or (not grant and right in self.account)


def applicant(inventory: Inventory) -> Applicant:
    """Ask the account who this is, and what is reached: one SHOW for each role."""
    role, user = identity(inventory)
    reach, left = {"PUBLIC"}, [role]
    account: dict[str, bool] = {}
    while left and ADMINISTRATOR not in reach:
        one = left.pop()
        if one in reach:
            continue
        reach.add(one)
        if one == ADMINISTRATOR:
            break
        for grant in inventory.rows(f"SHOW GRANTS TO ROLE {quote(one)}"):
            if grant["granted_on"] == "ROLE" and grant["privilege"] == "USAGE":
                left.append(grant["name"])
            elif grant["granted_on"] == "ACCOUNT":
                option = str(grant["grant_option"]).lower() == "true"
                account[grant["privilege"]] = account.get(grant["privilege"], False) or option
    return Applicant(role, user, frozenset(reach), account)


def identity(inventory: Inventory) -> tuple[str, str]:
    """The active role and the user."""
    (row,) = inventory.rows("SELECT CURRENT_ROLE() AS ROLE_NAME, CURRENT_USER() AS USER_NAME")
    return str(row["ROLE_NAME"]), str(row["USER_NAME"])


def missing_rights(
    who: Applicant, inventory: Inventory, findings: Sequence[Finding]
) -> tuple[MissingRight, ...]:
    """What ``who`` lacks to bring about what differs; each right once."""
    if who.administrator:
        return ()
    check = _Check(who, inventory, findings)
    found: dict[str, MissingRight] = {}
    for finding in findings:
        for one in check.of(finding) if finding.state != "present" else ():
            found.setdefault(one.right, one)
    return tuple(found.values())


class _Check:
    def __init__(self, who: Applicant, inventory: Inventory, findings: Sequence[Finding]) -> None:
        self._who = who
        self._inventory = inventory
        # What is made on the way belongs to the one who makes it.
        self._made = {(one.wanted.kind, one.wanted.name) for one in findings if one.state == "missing"}

    def of(self, finding: Finding) -> list[MissingRight]:
        item = finding.wanted
        if item.grant is not None:
            return self._of_grant(finding, item.grant)
        if item.kind == "tag value":
            schema = item.name.rpartition(" on ")[2]
            return self._owned("schema", schema, finding)
        if finding.state == "changed":
            return self._changed(finding)
        if item.kind in _CREATES:
            return self._on_account(_CREATES[item.kind], f"the {item.kind} {item.name} is to be made")
        name = QualifiedName.parse(item.name)
        if item.kind == "schema":
            return self._created("database", quote(name.schema or ""), "CREATE SCHEMA", finding)
        above = str(QualifiedName(name.schema or "", name.database))
        return self._created("schema", above, _IN_SCHEMA[item.kind], finding)

    def _changed(self, finding: Finding) -> list[MissingRight]:
        item = finding.wanted
        if item.kind == "table":
            # Its owner is what is wrong, and for the schema's owner to mend.
            name = QualifiedName.parse(item.name)
            return self._owned("schema", str(QualifiedName(name.schema or "", name.database)), finding)
        return self._owned(item.kind, item.name, finding)

    def _of_grant(self, finding: Finding, grant: Grant) -> list[MissingRight]:
        if grant.on == "ACCOUNT":
            held = set((finding.actual or "").split(", "))
            return [
                one
                for privilege in grant.privileges
                if privilege not in held
                for one in self._on_account(privilege, f"{grant.role} is to have it", grant=True)
            ]
        kind, name = grant.on.lower(), grant.name
        if kind not in ("schema", "tag", "table"):
            name = QualifiedName.parse(name).name
        elif kind in ("tag", "table"):
            found = QualifiedName.parse(name)
            kind, name = "schema", str(QualifiedName(found.schema or "", found.database))
        return self._owned(kind, name, finding)

    def _on_account(self, right: str, why: str, *, grant: bool = False) -> list[MissingRight]:
        if self._who.may(right, grant=grant):
            return []
        option = " WITH GRANT OPTION" if grant else ""
        return [
            MissingRight(
                f"{right} ON ACCOUNT{option}",
                f"Without it {self._who.role} cannot go on, as {why}.",
                f"GRANT {right} ON ACCOUNT TO ROLE {quote(self._who.role)}{option};",
            )
        ]

    def _created(self, above: str, name: str, right: str, finding: Finding) -> list[MissingRight]:
        """What is made within something else takes that one's ownership, or the right on it."""
        plain = QualifiedName.parse(name).name if above == "database" else name
        if (above, plain) in self._made or self._is_mine(above, plain):
            return []
        on = f"{above.upper()} {name}"
        role = quote(self._who.role)
        for row in self._inventory.rows(f"SHOW GRANTS TO ROLE {role}"):
            if (row["privilege"], row["granted_on"], row["name"]) == (right, above.upper(), name):
                return []
        return [
            MissingRight(
                f"{right} ON {on}",
                f"Without it {self._who.role} cannot make the {finding.wanted.kind} {finding.wanted.name}.",
                f"GRANT {right} ON {on} TO ROLE {role};",
            )
        ]

    def _owned(self, kind: str, name: str, finding: Finding) -> list[MissingRight]:
        if (kind, name) in self._made or self._is_mine(kind, name) or self._who.may("MANAGE GRANTS"):
            return []
        item = finding.wanted
        role = quote(self._who.role)
        spelled = name if kind in ("schema", "tag", "table") else quote(name)
        statement = f"GRANT OWNERSHIP ON {kind.upper()} {spelled} TO ROLE {role} COPY CURRENT GRANTS;"
        if kind == "role":
            # Whose role it is may rather make this one grant than give the role away.
            statement = f"{item.create[0]};"
        return [
            MissingRight(
                f"OWNERSHIP ON {kind.upper()} {spelled}",
                f"It belongs to another role, so {self._who.role} cannot bring about the {item.kind} {item.name}.",
                statement,
            )
        ]

    def _is_mine(self, kind: str, name: str) -> bool:
        row = self._inventory.row(kind, name)
        return row is not None and self._who.owns(row.get("owner"))


Wants = Callable[[str | None], Sequence[Wanted]]
"""Lists what is wanted; the role is the asker's when it has to become a member of the hub's."""


def differences(query: Query, hub: Declaration, wanted: Wants) -> tuple[Inventory, list[Finding]]:
    """The account beside what is wanted."""
    inventory = Inventory(hub, query)
    role, _ = identity(inventory)
    outside = role not in (hub.role, ADMINISTRATOR) and _is_outside(applicant(inventory), hub)
    return inventory, inventory.compare(wanted(role if outside else None))


def _is_outside(who: Applicant, hub: Declaration) -> bool:
    return not who.administrator and not {hub.role, hub.parent_role} & who.reach


@dataclass(frozen=True)
class Comparison:
    """The account beside what is wanted, and what the role in use may not do about it."""

    role: str
    inventory: Inventory
    findings: Sequence[Finding]
    missing: Sequence[MissingRight]


def compare(query: Query, hub: Declaration, wanted: Wants) -> Comparison:
    """What differs, and which rights are missing for it; nothing is looked for when nothing differs."""
    inventory, findings = differences(query, hub, wanted)
    role, _ = identity(inventory)
    missing: Sequence[MissingRight] = ()
    if any(finding.state != "present" for finding in findings):
        missing = missing_rights(applicant(inventory), inventory, findings)
    return Comparison(role, inventory, findings, missing)


def require(query: Query, hub: Declaration, wanted: Wants) -> None:
    """Raises RightsMissing unless the role in use may bring about what differs."""
    found = compare(query, hub, wanted)
    if found.missing:
        raise RightsMissing(found.role, found.missing)
