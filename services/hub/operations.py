"""``hub.apply``: the account is brought to what ``hub.yaml`` declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.core.errors import Conflict
from services.hub.service import Hub
from services.operations import OperationKind, Params, Step, StepContext
from services.snowflake.applying import apply, reader
from services.snowflake.connection import ConnectionSource
from services.snowflake.wanted import Wanted


def _is_pool(item: Wanted) -> bool:
    return item.kind == "compute pool" or (item.grant is not None and item.grant.on == "COMPUTE POOL")


# The pool comes last: where it cannot be had, all else is there.
_PARTS: dict[str, Callable[[Wanted], bool]] = {
    "warehouse": lambda item: item.kind == "warehouse",
    "roles": lambda item: item.kind == "role",
    "schemas": lambda item: item.kind in ("database", "schema", "tag", "tag value", "table"),
    "grants": lambda item: item.kind == "grant" and not _is_pool(item),
    "pool": _is_pool,
}


class Apply(Params):
    """Nothing to choose: all that is declared."""


class HubOperations:
    """The kinds of operation of this domain."""

    def __init__(self, hub: Hub, source: ConnectionSource) -> None:
        self._hub = hub
        self._source = source

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``hub.apply``."""
        return (
            OperationKind(
                "hub.apply",
                "Apply the hub",
                Apply,
                [
                    Step("warehouse", "Warehouse", self._part("warehouse")),
                    Step("roles", "Roles", self._part("roles")),
                    Step("schemas", "Database, schemas and tags", self._part("schemas")),
                    Step("grants", "Grants", self._part("grants")),
                    Step("pool", "Compute pool, if one is declared", self._part("pool")),
                    Step("verify", "Compare with the account", self.verify),
                ],
                queue_key=lambda params: "hub",
                validate=self.check,
            ),
        )

    def check(self, params: Apply) -> None:
        """RightsMissing for a role that may not do all of it."""
        self._hub.require_rights()

    def _part(self, name: str) -> Callable[[StepContext, Apply], Any]:
        """The step that applies the objects of one part."""

        def step(context: StepContext, params: Apply) -> Any:
            with context.connect() as connection:
                findings = self._hub.differences(reader(connection), _PARTS[name])
                counts = apply(context, findings, connection)
            if name == "warehouse" and counts["created"]:
                self._source.renew()
            return counts

        return step

    def verify(self, context: StepContext, params: Apply) -> dict[str, int]:
        """Read the account again: nothing may be left to do."""
        with context.connect() as connection:
            findings = self._hub.differences(reader(connection))
        left = [finding.wanted.name for finding in findings if finding.state != "present"]
        if left:
            raise Conflict(
                f"The account still differs in {len(left)} of {len(findings)} objects: {', '.join(left[:5])}",
                hint="See the plan of the hub for what each should be.",
                code="hub_differs",
                detail={"objects": left},
            )
        context.log(f"All {len(findings)} declared objects are there")
        return {"objects": len(findings)}
