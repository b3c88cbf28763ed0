"""What exists in the account of what the hub wants, and the difference."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.core.hub import Declaration
from services.snowflake.identifiers import QualifiedName, like_pattern, literal, quote
from services.snowflake.wanted import Grant, Wanted, schemas_of

Row = dict[str, Any]
Query = Callable[[str], list[Row]]
State = Literal["present", "missing", "changed"]

_SYSTEM_SCHEMAS = frozenset({"PUBLIC", "INFORMATION_SCHEMA"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One wanted object beside what exists. ``statements`` bring it about; none when it is present."""

    wanted: Wanted
    state: State
    actual: str | None = None

    @property
    def statements(self) -> tuple[str, ...]:
        if self.state == "present":
            return ()
        return (
            self.wanted.create if self.state == "missing" or not self.wanted.change else (self.wanted.change,)
        )


@dataclass
class Inventory:
    """Reads the account through ``query``, each list once. Read anew for each comparison."""

    hub: Declaration
    query: Query
    _lists: dict[str, list[Row]] = field(default_factory=dict)

    def compare(self, objects: Sequence[Wanted]) -> list[Finding]:
        """Each object with its state."""
        return [self._compare(item, objects) for item in objects]

    def foreign_schemas(self, objects: Sequence[Wanted]) -> list[str]:
        """Schemas of the hub's databases that nobody declared, as ``database.schema``."""
        known = set(schemas_of(objects))
        found = [
            str(QualifiedName(row["name"], database))
            for database in self.hub.databases
            for row in self._schemas(database)
            if row["name"] not in _SYSTEM_SCHEMAS
        ]
        return sorted(name for name in found if name not in known)

    def _compare(self, item: Wanted, objects: Sequence[Wanted]) -> Finding:
        if item.grant is not None:
            return self._compare_grant(item, item.grant)
        row = self._row(item, objects)
        if row is None:
            return Finding(item, "missing")
        actual = {key: _plain(row.get(key)) for key in item.settings}
        same = all(actual[key] == _plain(value) for key, value in item.settings.items())
        text = ", ".join(f"{key} {row.get(key)}" for key in item.settings) or None
        return Finding(item, "present" if same else "changed", text)

    def _compare_grant(self, item: Wanted, grant: Grant) -> Finding:
        held = self._held(grant)
        missing = [name for name in grant.privileges if name not in held]
        if not missing:
            return Finding(item, "present")
        partly = len(missing) < len(grant.privileges)
        actual = ", ".join(sorted(held & set(grant.privileges))) or None
        return Finding(item, "changed" if partly else "missing", actual)

    def _held(self, grant: Grant) -> set[str]:
        """The privileges that the role holds on what the grant speaks of."""
        if self._row(Wanted("role", grant.role, ()), ()) is None:
            return set()
        role = quote(grant.role)
        found = set()
        if grant.on == "ROLE":
            # Asked of the role that is granted: an applying role need not be allowed to look at the grantee.
            given = QualifiedName.parse(grant.name).name
            if self._row(Wanted("role", given, ()), ()) is None:
                return set()
            rows = self.rows(f"SHOW GRANTS OF ROLE {grant.name}")
            members = {row["grantee_name"] for row in rows if row["granted_to"] == "ROLE"}
            return {"USAGE"} if grant.role in members else set()
        if grant.future:
            for row in self.rows(f"SHOW FUTURE GRANTS TO ROLE {role}"):
                kind = _future_kind(row)
                # A live account names the objects to come DATABASE.SCHEMA.<KIND>.
                if kind == grant.future and re.sub(r"\.<[^>]*>$", "", row["name"]) == grant.name:
                    found.add(row["privilege"])
            return found
        for row in self.rows(f"SHOW GRANTS TO ROLE {role}"):
            on = row["granted_on"].replace("_", " ")
            if on == grant.on and (grant.on == "ACCOUNT" or row["name"] == grant.name):
                found.add(row["privilege"])
        return found

    def row(self, kind: str, name: str) -> Row | None:
        """The SHOW row of one object of this kind; None when there is none."""
        return self._row(Wanted(kind, name, ()), ())

    def _row(self, item: Wanted, objects: Sequence[Wanted]) -> Row | None:
        if item.kind == "database":
            return self._named(f"SHOW DATABASES LIKE {like_pattern(item.name)}", item.name)
        if item.kind == "warehouse":
            return self._named(f"SHOW WAREHOUSES LIKE {like_pattern(item.name)}", item.name)
        if item.kind == "compute pool":
            return self._named(f"SHOW COMPUTE POOLS LIKE {like_pattern(item.name)}", item.name)
        if item.kind == "role":
            return self._named("SHOW ROLES", item.name)
        if item.kind == "table":
            return self._table(QualifiedName.parse(item.name))
        if item.kind == "schema":
            return self._schema(QualifiedName.parse(item.name))
        if item.kind == "tag":
            tags = self._tags(QualifiedName.parse(item.name).database)
            return next((row for row in tags if _tag_name(row) == item.name), None)
        if item.kind == "tag value":
            return self._tag_values(objects).get(item.name)
        raise ValueError(item.kind)

    def _table(self, name: QualifiedName) -> Row | None:
        schema = QualifiedName(name.schema or "", name.database)
        if self._schema(schema) is None:
            return None
        return self._named(f"SHOW TABLES IN SCHEMA {schema}", name.name)

    def _named(self, show: str, name: str) -> Row | None:
        return next((row for row in self.rows(show) if row["name"] == name), None)

    def _in_database(self, kind: str, database: str | None) -> list[Row]:
        name = database or ""
        there = self._named(f"SHOW DATABASES LIKE {like_pattern(name)}", name) is not None
        return self.rows(f"SHOW {kind} IN DATABASE {quote(name)}") if there else []

    def _schemas(self, database: str | None) -> list[Row]:
        return self._in_database("SCHEMAS", database)

    def _tags(self, database: str | None) -> list[Row]:
        return self._in_database("TAGS", database)

    def _schema(self, name: QualifiedName) -> Row | None:
        return next((row for row in self._schemas(name.schema) if row["name"] == name.name), None)

    def _tag_values(self, objects: Sequence[Wanted]) -> dict[str, Row]:
        """``TAG on SCHEMA`` → value, of all wanted schemas that exist, in one query.

        It needs a warehouse; while there is none, nothing is known, and setting a value again does no harm.
        """
        if self._row(Wanted("warehouse", self.hub.warehouse.name, ()), ()) is None:
            return {}
        names = [QualifiedName.parse(name) for name in schemas_of(objects)]
        present = [name for name in names if self._schema(name) is not None]
        if not present:
            return {}
        text = " UNION ALL ".join(
            f"SELECT {literal(str(name))} AS SCHEMA_NAME, TAG_NAME, TAG_VALUE FROM"
            f" TABLE({quote(name.schema or '')}.INFORMATION_SCHEMA.TAG_REFERENCES({literal(str(name))}, 'SCHEMA'))"
            for name in present
        )
        return {
            f"{row['TAG_NAME']} on {row['SCHEMA_NAME']}": {"value": row["TAG_VALUE"]}
            for row in self.rows(text)
        }

    def rows(self, statement: str) -> list[Row]:
        if statement not in self._lists:
            self._lists[statement] = self.query(statement)
        return self._lists[statement]


def _plain(value: Any) -> str:
    """A setting as SHOW or a person writes it: X-Small and XSMALL are the same."""
    return str(value).upper().replace("-", "").replace(" ", "")


def _tag_name(row: Row) -> str:
    return str(QualifiedName(row["name"], row["schema_name"], row["database_name"]))


def _future_kind(row: Row) -> str:
    text = str(row.get("grant_on") or row.get("granted_on") or "").replace("_", " ")
    found = re.fullmatch(r"FUTURE (.+)S IN (?:SCHEMA|DATABASE)", text)
    return found.group(1) if found else text
