"""``hub.apply``: the account is brought to what ``hub.yaml`` declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.core.errors import Conflict
from services.operations import OperationKind, Params, Step, StepContext
from services.snowflake.applying import apply, reader
from services.snowflake.inventory import Inventory

_PARTS = {
    "compute": frozenset({"warehouse", "compute pool"}),
    "roles": frozenset({"role"}),
    "schemas": frozenset({"database", "schema", "tag", "tag value"}),
    "grants": frozenset({"grant"}),
}


class Apply(Params):
    """Nothing to choose: all that is declared."""


def part(name: str) -> Callable[[StepContext, Apply], Any]:
    """The step that applies the objects of one part."""

    def step(context: StepContext, params: Apply) -> Any:
        hub = context.services.hub
        wanted = [item for item in hub.wanted() if item.kind in _PARTS[name]]
        with context.connect() as connection:
            # Tags are looked for on the schemas among the wanted, so a part holds both.
            findings = Inventory(hub.declared, reader(connection)).compare(wanted)
            return apply(context, findings, connection)

    return step


def verify(context: StepContext, params: Apply) -> dict[str, int]:
    """Read the account again: nothing may be left to do."""
    hub = context.services.hub
    wanted = hub.wanted()
    with context.connect() as connection:
        findings = Inventory(hub.declared, reader(connection)).compare(wanted)
    left = [finding.wanted.name for finding in findings if finding.state != "present"]
    if left:
        raise Conflict(
            f"The account still differs in {len(left)} of {len(wanted)} objects: {', '.join(left[:5])}",
            hint="See the plan of the hub for what each should be.",
            code="hub_differs",
            detail={"objects": left},
        )
    context.log(f"All {len(wanted)} declared objects are there")
    return {"objects": len(wanted)}


APPLY = OperationKind(
    "hub.apply",
    "Apply the hub",
    Apply,
    [
        Step("compute", "Warehouse and compute pool", part("compute")),
        Step("roles", "Roles", part("roles")),
        Step("schemas", "Database, schemas and tags", part("schemas")),
        Step("grants", "Grants", part("grants")),
        Step("verify", "Compare with the account", verify),
    ],
    queue_key=lambda params: "hub",
)
KINDS = (APPLY,)
