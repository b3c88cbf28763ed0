"""Task graphs, and where their code runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from spoke_kit.manifest.parts import Handler, Name, Part


class Task(Part):
    """A task calls ``handler`` once the tasks of ``after`` succeeded; a branch returns the name of the next one.

    It runs on the spoke's warehouse unless it names another, or a compute pool.
    """

    handler: Handler
    after: tuple[str, ...] = ()
    branch: bool = False
    warehouse: Name | None = None
    compute_pool: Name | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.warehouse and self.compute_pool:
            raise ValueError("a task runs on a warehouse or on a compute pool, not on both")
        return self


class Graph(Part):
    """A task graph under any name. ``trains`` names a model, ``predicts`` a prediction; a graph may do neither.

    ``schedule`` is cron with a time zone ("30 5 * * * Europe/Berlin"); without one it runs on demand.
    """

    description: str = ""
    trains: str | None = None
    predicts: str | None = None
    schedule: str | None = None
    timeout_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    auto_retry_attempts: Annotated[int, Field(ge=0, le=30)] = 0
    tasks: Annotated[Mapping[Name, Task], Field(min_length=1)]
    finalizer: Annotated[Mapping[Name, Task], Field(max_length=1)] = {}

    @model_validator(mode="after")
    def _one_purpose(self) -> Self:
        if self.trains and self.predicts:
            raise ValueError("a graph trains a model or predicts, not both")
        for name, task in self.tasks.items():
            for before in task.after:
                if before not in self.tasks or before == name:
                    raise ValueError(
                        f"task {name!r} comes after {before!r}, which is no other task of the graph"
                    )
        return self


class Compute(Part):
    """Where the spoke's code runs. Without a repository its packages come from the Anaconda channel."""

    warehouse: Name
    runtime: str = "3.11"
    packages: tuple[str, ...]
    artifact_repository: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*){2}$")] | None = None
