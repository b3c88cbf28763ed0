"""Grants: GRANT, REVOKE, SHOW GRANTS. Who may give what away is held by `security/granting`.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege, …/revoke-privilege, …/show-grants
"""

from __future__ import annotations

from embedded_account.account import DATABASE_ROLES
from embedded_account.catalog import Record
from embedded_account.errors import SnowflakeError, does_not_exist, unsupported
from embedded_account.names import OWN_PREFIX, shown
from embedded_account.objects.relations import view_exists
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, rows_result, status
from embedded_account.security import granting, privileges, snowflake_database
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_KINDS = (
    ("COMPUTE", "POOL"),
    ("DATABASE", "ROLE"),
    ("FILE", "FORMAT"),
    ("DYNAMIC", "TABLE"),
    ("IMAGE", "REPOSITORY"),
    ("SERVICE", "ROLE"),
    ("MATERIALIZED", "VIEW"),
    ("RESOURCE", "MONITOR"),
    ("MODEL", "MONITOR"),
)


def _object(session: Session, cursor: Cursor) -> tuple[str, str]:
    """(kind, name) behind ON; ALL and FUTURE grants get a kind of their own, e.g. ALL TABLES IN SCHEMA."""
    if cursor.accept("ACCOUNT"):
        return "ACCOUNT", "EMBEDDED"
    for word in ("ALL", "FUTURE"):
        if cursor.accept(word):
            kinds = []
            while not cursor.accept("IN"):
                kinds.append(cursor.identifier())
            scope = cursor.identifier()
            return f"{word} {' '.join(kinds)} IN {scope}", _path(cursor)
    for words in _KINDS:
        if cursor.accept(*words):
            return " ".join(words), _path(cursor)
    if cursor.peek(1).text == "." or cursor.peek(1).word in ("TO", "FROM") or cursor.peek(1).kind == "end":
        # Without a kind it is a table or a view.
        name = session.resolve(cursor.name())
        kind = "VIEW" if view_exists(session, name) else "TABLE"
        return kind, ".".join(shown(part) for part in name)
    return cursor.identifier(), _path(cursor)


def _path(cursor: Cursor) -> str:
    parts = cursor.name()
    name = ".".join(map(shown, parts))
    if any(part.startswith(OWN_PREFIX) for part in parts):
        raise does_not_exist("Object", name)
    if cursor.accept("!"):
        name += "!" + cursor.identifier()
    if cursor.looking_at("("):
        name += f"({cursor.parenthesized_text()})"
    return name


# What the name of a privilege begins with.
# https://docs.snowflake.com/en/user-guide/security-access-control-privileges
_WORDS = (
    "ADD ALL APPLY APPLYBUDGET ATTACH AUDIT BIND CANCEL CREATE DELETE EVOLVE EXECUTE FAILOVER IMPORT IMPORTED INSERT "
    "INSTALL MANAGE MODIFY MONITOR OPERATE OVERRIDE OWNERSHIP PURCHASE READ REBUILD REFERENCES REFERENCE_USAGE "
    "REPLICATE RESOLVE SELECT TRUNCATE UPDATE USAGE USE VIEW WRITE"
)
_PRIVILEGE = frozenset(_WORDS.split())


def _privileges(cursor: Cursor) -> list[str]:
    found: list[str] = []
    words: list[str] = []
    while not (cursor.looking_at("ON") or cursor.looking_at("TO") or cursor.looking_at("FROM")):
        if words and cursor.accept(","):
            found.append(" ".join(words))
            words = []
        elif words and cursor.looking_at("("):
            cursor.parenthesized_text()
        elif words or cursor.peek().word in _PRIVILEGE:
            words.append(cursor.identifier())
        else:
            raise cursor.error()
    if not words:
        raise cursor.error()
    return [*found, " ".join(words)]


def _grants(
    session: Session, current: Statement, verb: str
) -> tuple[list[tuple[str, str, str]], str, str, bool, str]:
    """([(privilege, on kind, on name)], grantee kind, grantee, with grant option, COPY or REVOKE grants)."""
    cursor = current.cursor
    cursor.accept("GRANT", "OPTION", "FOR")
    preposition = "TO" if verb == "GRANT" else "FROM"
    if cursor.accept("CALLER"):
        raise unsupported("GRANT CALLER")
    rows: list[tuple[str, str, str]]
    if cursor.looking_at("OWNERSHIP"):
        cursor.accept("OWNERSHIP")
        cursor.expect("ON")
        rows = [("OWNERSHIP", *_object(session, cursor))]
    elif cursor.accept("SERVICE", "ROLE"):
        rows = [("USAGE", "SERVICE ROLE", _path(cursor))]
    elif cursor.accept("DATABASE", "ROLE"):
        rows = [("USAGE", "DATABASE ROLE", _path(cursor))]
    elif cursor.looking_at("ROLE") and cursor.peek(2).word == preposition:
        cursor.accept("ROLE")
        rows = [("USAGE", "ROLE", shown(cursor.identifier()))]
    else:
        wanted = _privileges(cursor)
        cursor.expect("ON")
        kind, name = _object(session, cursor)
        rows = [_imported(privilege, kind, name) for privilege in wanted]
    cursor.expect(preposition)
    grantee_kind = "ROLE"
    if cursor.accept("DATABASE", "ROLE"):
        grantee_kind = "DATABASE ROLE"
    elif word := cursor.accept_any("ROLE", "USER", "SHARE"):
        grantee_kind = word
    grantee = cursor.identifier() if grantee_kind in ("ROLE", "USER") else _path(cursor)
    option = cursor.accept("WITH", "GRANT", "OPTION")
    copies = cursor.accept_any("COPY", "REVOKE")
    if copies:
        cursor.expect("CURRENT", "GRANTS")
    cursor.accept_any("CASCADE", "RESTRICT")
    cursor.end()
    is_me = grantee_kind == "USER" and grantee == session.user
    if grantee_kind in ("ROLE", "USER") and not is_me and not session.account.get(grantee_kind, grantee):
        raise does_not_exist(grantee_kind.title(), shown(grantee))
    return rows, grantee_kind, grantee, option, copies


def _imported(privilege: str, kind: str, name: str) -> tuple[str, str, str]:
    """IMPORTED PRIVILEGES, which are what can be granted on a database that another account shares."""
    shared = (kind, name) == ("DATABASE", snowflake_database.DATABASE)
    if shared and privilege == "IMPORTED PRIVILEGES":
        return snowflake_database.IMPORTED
    if shared:
        raise SnowflakeError(
            "Granting individual privileges on imported databases is not allowed. "
            "Use 'GRANT IMPORTED PRIVILEGES' instead.",
            3030,
            "0A000",
        )
    if privilege == "IMPORTED PRIVILEGES":
        raise SnowflakeError(
            "SQL compilation error:\nInvalid grant: IMPORTED PRIVILEGES are those of an imported database.",
            3029,
            "0A000",
        )
    return privilege, kind, name


def _key(row: tuple[str, str, str], grantee_kind: str, grantee: str) -> str:
    return "|".join((*row, grantee_kind, grantee))


@statement("GRANT")
def grant(session: Session, current: Statement) -> Result:
    rows, grantee_kind, grantee, option, copies = _grants(session, current, "GRANT")
    for privilege, kind, name in rows:
        granting.check(session, privilege, kind, name)
    if current.describe_only:
        return status("Statement executed successfully.")
    given = []
    for privilege, kind, name in rows:
        for on_kind, on in _spelled(session, kind, name):
            if privilege == "OWNERSHIP":
                _transfer(session, on_kind, on, grantee, copies)
            else:
                given.append(_record(session, (privilege, on_kind, on), grantee_kind, grantee, option))
    session.account.write(given)
    return status("Statement executed successfully.")


def _spelled(session: Session, kind: str, name: str) -> list[tuple[str, str]]:
    """The objects that a grant is recorded for: ALL means those that are there now."""
    words = kind.split(" ")
    if words[0] == "ALL":
        found = granting.objects_in(session, " ".join(words[1:-2]), words[-1], name)
        return [(one.kind, one.name) for one in found]
    if words[0] == "FUTURE":
        scope = granting.securable(session, words[-1], name)
        return [(kind, name if scope is None else scope.name)]
    on = granting.securable(session, kind, name)
    if on is None:
        return [(kind, name)]
    # A role is known by its name itself, as it is as a grantee.
    return [(kind, on.record if kind in ("ROLE", "DATABASE ROLE") else on.name)]


def _record(
    session: Session, row: tuple[str, str, str], grantee_kind: str, grantee: str, option: bool
) -> Record:
    key = _key(row, grantee_kind, grantee)
    before = session.account.get("GRANT", key)
    body = {
        "privilege": row[0],
        "on_kind": row[1],
        "on": row[2],
        "grantee_kind": grantee_kind,
        "grantee": grantee,
        "option": option or (before is not None and bool(before.body["option"])),
        "by": session.role,
    }
    return Record("GRANT", "", key, session.role, "", body)


def _transfer(session: Session, kind: str, name: str, role: str, copies: str) -> None:
    on = granting.securable(session, kind, name)
    if on is None:
        raise unsupported(f"GRANT OWNERSHIP ON {kind}")
    if name in DATABASE_ROLES:
        raise privileges.refused(on)
    held = [r for r in session.account.list("GRANT") if (r.body["on_kind"], r.body["on"]) == (kind, name)]
    if held and not copies:
        raise SnowflakeError(
            f"SQL execution error: Dependent grant of privilege '{held[0].body['privilege']}' on securable "
            f"'{name}' to role '{held[0].body['grantee']}' exists. It must be revoked first.",
            3635,
            "0A000",
        )
    granting.transfer(session, on, role)
    if copies == "REVOKE":
        session.account.write(gone=[(record.kind, record.name) for record in held])


@statement("REVOKE")
def revoke(session: Session, current: Statement) -> Result:
    option_alone = current.cursor.looking_at("GRANT", "OPTION", "FOR")
    rows, grantee_kind, grantee, _, _ = _grants(session, current, "REVOKE")
    for privilege, kind, name in rows:
        granting.check(session, privilege, kind, name)
    if current.describe_only:
        return status("Statement executed successfully.")
    keys = [
        _key((privilege, on_kind, on), grantee_kind, grantee)
        for privilege, kind, name in rows
        for on_kind, on in _spelled(session, kind, name)
    ]
    if option_alone:
        held = [session.account.get("GRANT", key) for key in keys]
        session.account.write([one.with_body(option=False) for one in held if one is not None])
    else:
        session.account.write(gone=[("GRANT", key) for key in keys])
    return status("Statement executed successfully.")


_GRANTS = [
    ("created_on", "timestamp_ltz"),
    ("privilege", "text"),
    ("granted_on", "text"),
    ("name", "text"),
    ("granted_to", "text"),
    ("grantee_name", "text"),
    ("grant_option", "text"),
    ("granted_by", "text"),
]


@statement("SHOW", "GRANTS")
@statement("SHOW", "FUTURE", "GRANTS")
def show_grants(session: Session, current: Statement) -> Result:
    cursor = current.cursor
    wanted: tuple[str, str, str] | None = None
    future = "FUTURE" in current.text.upper().split()[:2]
    if cursor.accept("TO"):
        kind = cursor.accept_any("ROLE", "USER") or "ROLE"
        wanted = ("to", kind, cursor.identifier())
    elif cursor.accept("OF"):
        cursor.accept("ROLE")
        wanted = ("of", "ROLE", cursor.identifier())
    elif cursor.accept("ON"):
        wanted = ("on", *_spelled(session, *_object(session, cursor))[0])
    elif cursor.accept("IN"):
        wanted = ("in", *_spelled(session, cursor.identifier(), _path(cursor))[0])
    else:
        wanted = ("to", "USER", session.user)
    cursor.end()
    if wanted[0] == "of":
        return _grantees(session, wanted[2])
    rows = []
    for record in session.account.list("GRANT"):
        b = record.body
        if _wanted(b, wanted, future):
            rows.append(
                (
                    record.created_on,
                    b["privilege"],
                    b["on_kind"],
                    b["on"],
                    b["grantee_kind"],
                    b["grantee"],
                    str(b["option"]).lower(),
                    b["by"],
                )
            )
    return rows_result(_GRANTS, rows)


def _grantees(session: Session, role: str) -> Result:
    """SHOW GRANTS OF ROLE: the users and roles that are members."""
    columns = [
        ("created_on", "timestamp_ltz"),
        ("role", "text"),
        ("granted_to", "text"),
        ("grantee_name", "text"),
        ("granted_by", "text"),
    ]
    rows = [
        (r.created_on, role, r.body["grantee_kind"], r.body["grantee"], r.body["by"])
        for r in session.account.list("GRANT")
        if (r.body["on_kind"], r.body["on"]) == ("ROLE", role)
    ]
    return rows_result(columns, rows)


def _wanted(b: dict[str, str], wanted: tuple[str, str, str], future: bool) -> bool:
    how, kind, name = wanted
    if future != b["on_kind"].startswith("FUTURE "):
        return False
    if how == "to":
        return (b["grantee_kind"], b["grantee"]) == (kind, name)
    if how == "in":
        return b["on_kind"].endswith(f"IN {kind}") and b["on"] == name
    return (b["on_kind"], b["on"]) == (kind, name)
