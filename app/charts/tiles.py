"""A graph with many tasks as tiles: a column for each layer, a tile for each task, what failed first in its column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.charts.dag import Drawing, draw
from services.training.types import Task, TaskRun

# With more tasks boxes with names are no longer read, and their page grows too large.
MOST_BOXES = 60
TILE, GAP, TALLEST = 11, 3, 24
_FIRST = {"FAILED": 0, "FAILED_AND_AUTO_SUSPENDED": 0, "EXECUTING": 1, "CANCELLED": 2}


@dataclass(frozen=True, slots=True)
class Tile:
    """One task; ``told``: it is named when pointed at."""

    name: str
    state: str | None
    x: int
    y: int
    told: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The graph drawn with boxes, or as tiles of this size when there are too many."""

    drawing: Drawing | None
    tiles: tuple[Tile, ...] = ()
    width: int = 0
    height: int = 0


def picture(tasks: Sequence[Task], states: Mapping[str, TaskRun]) -> Picture:
    """The graph as a picture that a page can hold."""
    if len(tasks) <= MOST_BOXES:
        return Picture(draw(tasks))
    columns: dict[int, list[Task]] = {}
    layers = _layers(tasks)
    for task in tasks:
        columns.setdefault(layers[task.name], []).append(task)
    tiles: list[Tile] = []
    x = 0
    for _, column in sorted(columns.items()):
        column.sort(key=lambda task: (_rank(states.get(task.name)), task.name))
        for place, task in enumerate(column):
            run = states.get(task.name)
            aside, down = divmod(place, TALLEST)
            told = _rank(run) < 3
            state = run.state if run else None
            tiles.append(Tile(task.name, state, x + aside * (TILE + GAP), down * (TILE + GAP), told))
        x += ((len(column) - 1) // TALLEST + 1) * (TILE + GAP) + GAP * 3
    height = max((tile.y for tile in tiles), default=0) + TILE
    return Picture(None, tuple(tiles), max(x - GAP * 4, 0), height)


def _rank(run: TaskRun | None) -> int:
    return 4 if run is None else _FIRST.get(run.state, 3)


def _layers(tasks: Sequence[Task]) -> dict[str, int]:
    """The longest way from the root to each task; a finalizer comes last. What is in a cycle has layer 0."""
    known = {task.name for task in tasks}
    following: dict[str, list[str]] = {name: [] for name in known}
    waiting: dict[str, int] = {}
    for task in tasks:
        before = [name for name in task.predecessors if name in known]
        waiting[task.name] = len(before)
        for name in before:
            following[name].append(task.name)
    layers = dict.fromkeys(known, 0)
    ready = [name for name, count in waiting.items() if count == 0]
    while ready:
        name = ready.pop()
        for after in following[name]:
            layers[after] = max(layers[after], layers[name] + 1)
            waiting[after] -= 1
            if waiting[after] == 0:
                ready.append(after)
    last = max(layers.values(), default=0)
    for task in tasks:
        if task.kind == "finalizer":
            layers[task.name] = last + 1
    return layers
