"""A task graph as boxes and arrows: layers by the longest way from the root, with few arrows crossing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.training.types import Task

BOX_WIDTH = 176
BOX_HEIGHT = 52
GAP_X = 56
GAP_Y = 22
MARGIN = 12
START_SIZE = 30
# So many boxes stand beside each other when it is not known how tasks depend.
APART = 5


@dataclass(frozen=True, slots=True)
class Box:
    """A task's box; x and y are its upper left corner in pixels.

    `start`: a root that does nothing but start its graph, drawn as a small circle.
    """

    task: Task
    x: float
    y: float
    layer: int
    start: bool = False

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return START_SIZE if self.start else BOX_WIDTH

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return START_SIZE if self.start else BOX_HEIGHT


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one task to the next; `path` is SVG. A finalizer's arrow is drawn dashed: it waits for all."""

    source: str
    target: str
    path: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and arrows in a picture of this size."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


def draw(tasks: Sequence[Task]) -> Drawing:
    """Lay a graph out from left to right; several tasks of which none has a predecessor stand in rows.

    Raises ValueError when the tasks have a cycle. A predecessor that is not among the tasks is left out.
    """
    known = {task.name: task for task in tasks}
    finalizers = [task for task in tasks if task.kind == "finalizer"]
    before = {
        task.name: tuple(name for name in task.predecessors if name in known)
        for task in tasks
        if task.kind != "finalizer"
    }
    if len(tasks) > 1 and not any(before.values()) and not any(task.predecessors for task in tasks):
        return _apart(tasks)
    layers = _layers(before)
    last = max(layers.values(), default=-1)
    for task in finalizers:
        layers[task.name] = last + 1
    rows = _order(layers, before)
    tallest = max((len(row) for row in rows), default=0)
    height = tallest * BOX_HEIGHT + max(tallest - 1, 0) * GAP_Y + 2 * MARGIN
    boxes: dict[str, Box] = {}
    x = float(MARGIN)
    for layer, names in enumerate(rows):
        top = (height - len(names) * BOX_HEIGHT - (len(names) - 1) * GAP_Y) / 2
        small = len(names) == 1 and len(tasks) > 1 and _only_starts(known[names[0]])
        if small:
            top = (height - START_SIZE) / 2
        for index, name in enumerate(names):
            boxes[name] = Box(known[name], x, top + index * (BOX_HEIGHT + GAP_Y), layer, small)
        x += (START_SIZE if small else BOX_WIDTH) + GAP_X
    ends = [name for name in before if not any(name in others for others in before.values())]
    arrows = [_arrow(boxes[source], boxes[name]) for name, sources in before.items() for source in sources]
    arrows += [_arrow(boxes[end], boxes[task.name], final=True) for task in finalizers for end in ends]
    width = max((box.x + box.width for box in boxes.values()), default=0) + MARGIN
    return Drawing(tuple(boxes.values()), tuple(arrows), width, height)


def _apart(tasks: Sequence[Task]) -> Drawing:
    """Tasks of which nobody has told how they depend: rows of boxes in the order given."""
    wide = min(len(tasks), APART)
    boxes = tuple(
        Box(
            task,
            MARGIN + place % wide * (BOX_WIDTH + GAP_Y),
            MARGIN + place // wide * (BOX_HEIGHT + GAP_Y),
            0,
        )
        for place, task in enumerate(tasks)
    )
    rows = (len(tasks) - 1) // wide + 1
    width = wide * (BOX_WIDTH + GAP_Y) - GAP_Y + 2 * MARGIN
    return Drawing(boxes, (), width, rows * (BOX_HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN)


def _only_starts(task: Task) -> bool:
    # The DAG API gives every graph such a root; it calls nothing.
    return task.kind == "root" and task.definition.strip().lower().startswith("select '")


def _layers(before: Mapping[str, Sequence[str]]) -> dict[str, int]:
    layers: dict[str, int] = {}
    waiting = dict(before)
    while waiting:
        ready = [name for name, sources in waiting.items() if all(source in layers for source in sources)]
        if not ready:
            raise ValueError(f"The graph has a cycle through {sorted(waiting)[0]}.")
        for name in ready:
            layers[name] = max((layers[source] + 1 for source in waiting.pop(name)), default=0)
    return layers


def _order(layers: Mapping[str, int], before: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Names by layer; within a layer by the mean place of what comes before, so that few arrows cross."""
    rows: list[list[str]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for name, layer in layers.items():
        rows[layer].append(name)
    place: dict[str, float] = {}
    for row in rows:
        keyed = {
            name: (
                sum(place[source] for source in before.get(name, ()) if source in place)
                / max(1, sum(source in place for source in before.get(name, ()))),
                index,
            )
            for index, name in enumerate(row)
        }
        row.sort(key=lambda name: keyed[name])
        for index, name in enumerate(row):
            place[name] = index - (len(row) - 1) / 2
    return rows


def _arrow(source: Box, target: Box, final: bool = False) -> Arrow:
    x0, y0 = source.x + source.width, source.y + source.height / 2
    x1, y1 = target.x - 5, target.y + target.height / 2
    # A long arrow leaves its layer flat first, so that it does not run through the boxes between.
    bend = GAP_X / 2 if target.layer - source.layer == 1 else GAP_X * 0.8
    path = f"M{x0:.0f},{y0:.1f} C{x0 + bend:.0f},{y0:.1f} {x1 - bend:.0f},{y1:.1f} {x1:.0f},{y1:.1f}"
    return Arrow(source.task.name, target.task.name, path, final)
