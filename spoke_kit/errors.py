"""The errors of the kit, each with a code that the control plane shows and a hint on what to do."""

from __future__ import annotations


class SpokeError(Exception):
    """Something about a spoke that a person has to mend."""

    code = "spoke.error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(SpokeError):
    """A key of ``spoke.yaml`` or an overlay is missing, unknown or of the wrong type."""

    code = "spoke.config"


class DefinitionError(SpokeError):
    """The spoke's code does not define what its configuration names."""

    code = "spoke.definition"


class VersionChanged(SpokeError):
    """A registered feature view version differs from the code, outside DEV."""

    code = "spoke.version_changed"


class GraphBusy(SpokeError):
    """A graph is to be replaced while it runs."""

    code = "spoke.graph_busy"


class DataMissing(SpokeError):
    """The source tables do not hold what a task needs."""

    code = "spoke.data_missing"
