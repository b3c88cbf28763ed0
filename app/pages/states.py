"""One colour, one icon and one word for each state, wherever it is shown. The words are Snowflake's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateStyle:
    """`colour` is a Tabler colour name, `icon` the name of a vendored icon; a moving state's icon turns."""

    word: str
    colour: str
    icon: str
    moving: bool = False


_STYLES = (
    StateStyle("SUCCEEDED", "green", "circle-check"),
    StateStyle("FAILED", "red", "circle-x"),
    StateStyle("FAILED_AND_AUTO_SUSPENDED", "red", "circle-x"),
    StateStyle("EXECUTING", "azure", "loader-2", moving=True),
    StateStyle("SCHEDULED", "secondary", "clock"),
    StateStyle("CANCELLED", "orange", "ban"),
    StateStyle("SKIPPED", "secondary", "circle-minus"),
    StateStyle("STARTED", "green", "player-play"),
    StateStyle("SUSPENDED", "orange", "player-pause"),
    StateStyle("RUNNING", "green", "player-play"),
    StateStyle("PRESENT", "green", "circle-check"),
    StateStyle("MISSING", "orange", "circle-plus"),
    StateStyle("CHANGED", "orange", "refresh"),
    StateStyle("FOREIGN", "secondary", "help-circle"),
    StateStyle("OPEN", "red", "circle-x"),
    StateStyle("ACKNOWLEDGED", "azure", "user"),
    StateStyle("RESOLVED", "green", "circle-check"),
    StateStyle("GOOD", "green", "circle-check"),
    StateStyle("LATE", "orange", "clock"),
    StateStyle("HIGH", "orange", "alert-triangle"),
    StateStyle("OVER", "red", "alert-octagon"),
)
STATES = {style.word: style for style in _STYLES}

# Our operations' words, and spellings of the account that mean the same.
_SYNONYMS = {
    "pending": "SCHEDULED",
    "running": "EXECUTING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "CANCELED": "CANCELLED",
    "open": "OPEN",
    "acknowledged": "ACKNOWLEDGED",
    "resolved": "RESOLVED",
    "absent": "SCHEDULED",
    "ACTIVE": "RUNNING",
}


def state_style(state: str) -> StateStyle:
    """The style of a state; an unknown one keeps its own word and is grey, so that it is seen."""
    word = _SYNONYMS.get(state) or _SYNONYMS.get(state.upper()) or state.upper()
    return STATES.get(word) or StateStyle(word, "secondary", "help-circle")


_MARKS = {"SUCCEEDED": "✓", "FAILED": "✗", "FAILED_AND_AUTO_SUSPENDED": "✗", "EXECUTING": "▸", "SKIPPED": "–"}


def cell_mark(state: str) -> str:
    """One character for a state, where an icon would be too much."""
    return _MARKS.get(state_style(state).word, "⊘" if state == "CANCELLED" else "·")


def is_final(state: str) -> bool:
    """Whether nothing more will happen to a run or an operation in this state."""
    return state_style(state).word not in ("EXECUTING", "SCHEDULED")
