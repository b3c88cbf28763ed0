"""The errors of the kit, each with a code that the control plane shows and a hint on what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class SpokeError(Exception):
    """Something about a spoke that a person has to mend."""

    code = "spoke.error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(SpokeError):
    """What a spoke was given to work with, a name, a schedule, a run's configuration, cannot be used."""

    code = "spoke.config"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file: its line, and the key with those above it, by dots."""

    file: str
    line: int
    key: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {f'{self.key} ' if self.key else ''}{self.problem}"


class ManifestError(ConfigError):
    """``spoke.yaml`` or an overlay cannot be used; ``faults`` are all that is wrong, in the order of the lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(
            sorted(set(faults), key=lambda one: (one.file != "spoke.yaml", one.file, one.line))
        )
        super().__init__("\n".join(map(str, self.faults)), "docs/spoke.schema.json has every key.")


class DefinitionError(SpokeError):
    """The spoke's code does not define what its configuration names."""

    code = "spoke.definition"


class VersionChanged(SpokeError):
    """A registered feature view version differs from the code, outside DEV."""

    code = "spoke.version_changed"


class NotOffered(SpokeError):
    """The hub does not offer a shared feature view in the version that a spoke consumes."""

    code = "spoke.not_offered"


class GraphBusy(SpokeError):
    """A graph is to be replaced while it runs."""

    code = "spoke.graph_busy"


class DataMissing(SpokeError):
    """The source tables do not hold what a task needs."""

    code = "spoke.data_missing"
