"""The hub: which account it stands on, and whether the account matches what was declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.core.clock import Clock, utc_now
from services.core.hub import Declaration
from services.core.revision import Revision
from services.core.settings import AccountSettings
from services.hub.types import Account, AccountKind, Environment, HubObject, HubPlan
from services.knowledge.known import answered_at
from services.knowledge.remembered import Remembered
from services.operations import Operations
from services.snowflake.answers import Answers
from services.snowflake.connection import ConnectionSource
from services.snowflake.inventory import Finding, Query
from services.snowflake.preflight import compare, differences, require
from services.snowflake.rights import as_sql, bootstrap
from services.snowflake.wanted import Wanted
from services.snowflake.wanted_hub import hub_objects
from services.snowflake.wanted_spoke import spoke_objects
from services.spokes.service import Spokes

_KINDS: dict[str, AccountKind] = {
    "embedded": "embedded",
    "named": "connection",
    "container": "container services",
}


class Hub:
    """See types.py."""

    def __init__(
        self,
        declared: Declaration,
        settings: AccountSettings,
        source: ConnectionSource,
        known: Answers,
        spokes: Spokes,
        operations: Operations,
        revision: Revision,
        clock: Clock = utc_now,
    ) -> None:
        self.declared = declared
        self._settings = settings
        self._source = source
        self._known = known
        self._spokes = spokes
        self._operations = operations
        self._remembered = Remembered(revision)
        self._clock = clock

    def account(self) -> Account:
        """The account in use; asks nobody."""
        settings, warehouse = self._settings, self.declared.warehouse.name
        if settings.kind == "container":
            name = str(settings.container_account)
            return Account(name, _KINDS[settings.kind], name, settings.container_host, None, warehouse)
        name = settings.connection or "embedded"
        return Account(self._source.name, _KINDS[settings.kind], name, None, None, warehouse)

    def environments(self) -> tuple[Environment, ...]:
        """As declared, in promotion order."""
        return tuple(Environment(known.name, known.protected) for known in self.declared.environments)

    def wanted(self, applicant: str | None = None) -> list[Wanted]:
        """Every declared object, those of the onboarded spokes after the hub's own.

        ``applicant``: see ``hub_objects``.
        """
        return [item for item, _, _ in self._placed(applicant)]

    def _placed(self, applicant: str | None) -> list[tuple[Wanted, str | None, str | None]]:
        """What is wanted, and which spoke and environment it is of."""
        found: list[tuple[Wanted, str | None, str | None]] = [
            (item, None, None) for item in hub_objects(self.declared, applicant)
        ]
        for scope in self._spokes.onboarded():
            found += [(item, scope.spoke, scope.environment) for item in spoke_objects(scope)]
        return found

    def differences(self, query: Query, keep: Callable[[Wanted], bool] = lambda _: True) -> list[Finding]:
        """The declared objects to ``keep`` beside those in the account, which ``query`` asks."""

        def wanted(applicant: str | None) -> list[Wanted]:
            return [item for item in self.wanted(applicant) if keep(item)]

        return differences(query, self.declared, wanted)[1]

    def require_rights(self) -> None:
        """RightsMissing 403 unless the role in use may apply the hub."""
        require(self._source.query, self.declared, self.wanted)

    def bootstrap(self) -> str:
        """The SQL with which an administrator prepares an account, once."""
        return as_sql(bootstrap(self.declared))

    def plan(self) -> HubPlan:
        """The declared objects beside those in the account; compared once while nothing changes."""
        return self._remembered.get("plan", self._plan)

    def _plan(self) -> HubPlan:
        places: list[tuple[str | None, str | None]] = []

        def wanted(applicant: str | None) -> list[Wanted]:
            found = self._placed(applicant)
            places[:] = [(spoke, environment) for _, spoke, environment in found]
            return [item for item, _, _ in found]

        found = compare(self._known.query, self.declared, wanted)
        objects = [_object(finding, *place) for finding, place in zip(found.findings, places, strict=True)]
        foreign = [
            HubObject("schema", name, "foreign", comment="Nobody declared it; it is left alone")
            for name in found.inventory.foreign_schemas([one.wanted for one in found.findings])
        ]
        return HubPlan(
            replace(self.account(), role=found.role),
            self.declared.databases,
            (*objects, *foreign),
            answered_at(self._clock),
            tuple(found.missing),
            self.bootstrap(),
        )

    def start_apply(self, actor: str) -> str:
        """Submit ``hub.apply``; the operation's id."""
        return self._operations.submit("hub.apply", {}, actor=actor).id


def _object(finding: Finding, spoke: str | None, environment: str | None) -> HubObject:
    wanted = finding.wanted
    declared = ", ".join(f"{key} {value}" for key, value in wanted.settings.items()) or None
    sql = ";\n".join(finding.statements)
    return HubObject(
        wanted.kind, wanted.name, finding.state, declared, finding.actual, wanted.comment, sql and sql + ";",
        spoke, environment,
    )  # fmt: skip
