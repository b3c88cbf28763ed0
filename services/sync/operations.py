"""``sync.run``: read what the account tells of itself; steps for what it has, what runs, and what it ran and cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import model_validator

from services.operations import OperationKind, Params, Step, StepContext
from services.sync.marks import Reading
from services.sync.service import Sync
from services.sync.sources import WAREHOUSE
from services.sync.types import Reach


class SyncRun(Params):
    """``reach`` "free" asks nothing that needs a warehouse; ``if_running`` neither, unless one runs.

    ``usage``: whether to read Account Usage, too. ``check`` has what it tells by day compared with what is kept;
    ``days`` is how far back to read what was never read. With a spoke and an environment only what is theirs is read.
    """

    spoke: str | None = None
    environment: str | None = None
    reach: Reach = "all"
    if_running: bool = False
    usage: bool = True
    check: bool = False
    days: int | None = None

    @model_validator(mode="after")
    def _together(self) -> SyncRun:
        if (self.spoke is None) != (self.environment is None):
            raise ValueError("spoke and environment go together")
        return self


class SyncOperations:
    """The kind of operation of this domain."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync

    def kinds(self) -> tuple[OperationKind[Any], ...]:
        """``sync.run``."""
        return (
            OperationKind(
                "sync.run",
                "Read the account",
                SyncRun,
                [
                    Step("catalogue", "What the account has", self.catalogue),
                    Step("live", "Runs and refreshes of the last days", self.live),
                    Step("usage", "Account Usage", self.usage),
                ],
                # One reading at a time, beside all other work.
                queue_key=lambda params: "sync",
                validate=self.check,
                describe=_title,
                select=self._steps,
                result=self.result,
                routine=True,
                # It reads the account itself.
                touches=lambda params: (),
            ),
        )

    def check(self, params: SyncRun) -> None:
        """NotFound 404, Invalid 422 or Conflict 409 for what is not onboarded."""
        if params.spoke is not None and params.environment is not None:
            self._sync.require(params.spoke, params.environment)

    def _steps(self, params: SyncRun) -> set[str]:
        chosen = {"catalogue"}
        if params.reach == "all":
            chosen |= {"live", "usage"} if params.usage else {"live"}
        return chosen

    def catalogue(self, context: StepContext, params: SyncRun) -> list[dict[str, Any]]:
        """Ask anew for what pages show of the account's objects."""
        return self._told(context, self._sync.read_catalogue(context, _scope(params), params.reach))

    def live(self, context: StepContext, params: SyncRun) -> list[dict[str, Any]]:
        """What runs, and ran in the last days."""
        return self._told(context, self._sync.read_live(context, _scope(params), params.if_running))

    def usage(self, context: StepContext, params: SyncRun) -> list[dict[str, Any]]:
        """What ran and cost, as the account tells it late."""
        if any(one["source"] == WAREHOUSE and one["error"] for one in context.result_of("live")):
            return []
        return self._told(context, self._sync.read_usage(context, params.days, params.check))

    def result(self, context: StepContext, params: SyncRun) -> dict[str, Any]:
        """Sums over the sources, and what could not be read."""
        readings = [one for step in sorted(self._steps(params)) for one in context.result_of(step)]
        sums = {key: sum(one[key] for one in readings) for key in ("rows", "new", "statements")}
        return {
            **sums,
            "seconds": round(sum(one["seconds"] for one in readings), 3),
            "woke": any(one["warehouse"] for one in readings if one["source"] == WAREHOUSE),
            "warehouse": any(one["warehouse"] for one in readings if one["source"] != WAREHOUSE),
            "errors": {one["source"]: one["error"] for one in readings if one["error"]},
        }

    def _told(self, context: StepContext, readings: list[Reading]) -> list[dict[str, Any]]:
        for one in readings:
            if one.error:
                context.log(f"{one.source}: {one.error}", "warning")
        return [{**asdict(one), "seconds": round(one.seconds, 4)} for one in readings]


def _scope(params: SyncRun) -> tuple[str, str] | None:
    if params.spoke is None or params.environment is None:
        return None
    return params.spoke, params.environment


def _title(params: SyncRun) -> str:
    where = f" for {params.spoke} in {params.environment}" if params.spoke else ""
    return f"Read the account{where}"
