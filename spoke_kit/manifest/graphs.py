"""Task graphs, and where their code runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from spoke_kit.manifest.parts import Flag, Handler, Name, Part, Whole


class Task(Part):
    """A task calls its handler once the tasks before it succeeded."""

    handler: Handler = Field(description="module.function below the spoke's package.")
    after: tuple[str, ...] = Field((), description="Tasks of the same graph that come before.")
    branch: Flag = Field(False, description="It returns the name of the task that comes next.")
    warehouse: Name | None = Field(None, description="Where it runs, if not on the spoke's warehouse.")
    compute_pool: Name | None = Field(
        None,
        description="A pool to run on, not a warehouse; a graph with one is refused at deployment for now.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.warehouse and self.compute_pool:
            raise ValueError("a task runs on a warehouse or on a compute pool, not on both")
        return self


class Graph(Part):
    """A task graph under any name, and what it is for; it may train a model, predict, or neither."""

    description: str = Field("", description="What it does, in a sentence.")
    trains: str | None = Field(None, description="The model of this file that it trains.")
    predicts: str | None = Field(None, description="The prediction of this file that it makes.")
    schedule: str | None = Field(
        None,
        pattern=r"^\s*(\S+\s+){5}\S+\s*$",
        description="Cron with a time zone, as '30 5 * * * Europe/Berlin'; on demand without one.",
    )
    timeout_minutes: Whole = Field(60, ge=1, le=10_080, description="After this a run is ended.")
    auto_retry_attempts: Whole = Field(
        0, ge=0, le=30, description="How often the account runs a failed run again by itself."
    )
    tasks: Mapping[Name, Task] = Field(min_length=1, description="The tasks, by name.")
    finalizer: Mapping[Name, Task] = Field(
        {}, max_length=1, description="The task that runs at the end, whatever came before."
    )

    @model_validator(mode="after")
    def _one_purpose(self) -> Self:
        if self.trains and self.predicts:
            raise ValueError("a graph trains a model or predicts, not both")
        for name, task in self.tasks.items():
            for before in task.after:
                if before not in self.tasks or before == name:
                    raise ValueError(f"{name} comes after {before!r}, which is no other task of the graph")
        if both := self.tasks.keys() & self.finalizer.keys():
            raise ValueError(f"{', '.join(sorted(both))} is a task and the finalizer")
        if ring := _ring({name: task.after for name, task in self.tasks.items()}):
            raise ValueError(f"the tasks {', '.join(ring)} wait for each other")
        return self


def _ring(after: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The tasks that can never begin, in order of name."""
    left = dict(after)
    while free := [name for name, before in left.items() if not any(one in left for one in before)]:
        for name in free:
            del left[name]
    return sorted(left)


class Compute(Part):
    """Where the spoke's code runs."""

    warehouse: Name = Field(description="The warehouse of its sessions, tasks and dynamic tables.")
    runtime: str = Field("3.11", description="Python's version in procedures.")
    packages: tuple[str, ...] = Field(description="Packages of procedures, pinned as NAME==VERSION.")
    artifact_repository: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*){2}$",
        description="Repository that the packages come from; the Anaconda channel without one.",
    )
