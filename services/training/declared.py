"""What a graph of the manifest is for, and which kind of operation runs it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeclaredGraph:
    """A graph of the manifest, and what it is for: it `trains` a model, `predicts`, or does neither."""

    name: str
    trains: str | None = None
    predicts: str | None = None

    @property
    def kind(self) -> str:
        """The kind of operation that runs it."""
        return "training.run" if self.trains else "inference.run" if self.predicts else "graph.run"
