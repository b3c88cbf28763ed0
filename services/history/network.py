"""The network that a synthetic history is of: spokes, their graphs, how often these run and how well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from services.history.fingerprint import fingerprint

ENVIRONMENTS = ("DEV", "STAGING", "PROD")
WAREHOUSES = ("SPOKEHUB_WH", "SPOKEHUB_WH_M", "SPOKEHUB_WH_L")
WIDE_TASKS = 1000

_AREAS = ("retail", "credit", "energy", "fleet", "media", "claims", "travel", "health", "supply", "talent")
_SUBJECTS = (
    "demand",
    "churn",
    "pricing",
    "anomalies",
    "ranking",
    "risk",
    "capacity",
    "quality",
    "leads",
    "load",
)
_GRAPHS = ("MODEL_DAG", "SCORING_DAG", "FEATURES_DAG", "EVALUATION_DAG", "EXPORT_DAG", "MONITORING_DAG")
_STEPS = ("LOAD", "CHECK", "JOIN", "FEATURES", "SPLIT", "TRAIN", "SCORE", "COMPARE", "REGISTER", "PUBLISH")
# Minutes; a graph runs each day unless there is room for more.
_DAILY = 1440
_OFTEN = (720, 360, 180, 60)
# Code and message; # stands for what differs each time.
ERRORS = (
    ("100357", "ValueError: 3 columns expected, # found in batch #"),
    ("100357", "KeyError: partition # is not there"),
    ("000604", "SQL execution canceled after # seconds"),
    ("090073", "Warehouse cannot be resumed: quota of # credits reached"),
    ("100132", "MemoryError: unable to allocate #.5 GiB for an array with # rows"),
    ("002003", "SQL compilation error: Object 'STAGE_#' does not exist or not authorized."),
)


@dataclass(frozen=True, slots=True)
class Network:
    """``graphs`` has one row for each graph in each environment, ``tasks`` for each of their tasks."""

    spokes: tuple[str, ...]
    graphs: pa.Table
    tasks: pa.Table


def spoke_names(count: int) -> tuple[str, ...]:
    """The first ``count``: two words each, then numbered."""
    words = [f"{area}_{subject}" for subject in _SUBJECTS for area in _AREAS]
    return tuple(
        words[n % len(words)] + (f"_{n // len(words) + 1}" if n >= len(words) else "") for n in range(count)
    )


def network(runs: int, spokes: int, days: int, seed: int) -> Network:
    """Graphs whose schedules give about ``runs`` task runs within ``days``."""
    rng = np.random.default_rng(seed)
    names = spoke_names(spokes)
    graphs: list[dict[str, object]] = []
    for spoke in names:
        for called in _GRAPHS[: int(rng.integers(3, len(_GRAPHS) + 1))]:
            size, width = int(rng.integers(5, 31)), int(rng.integers(1, 5))
            for environment in ENVIRONMENTS:
                graphs.append(_graph(rng, spoke, environment, called, size, width))
    if runs >= WIDE_TASKS * days:
        graphs[2] |= {"size": WIDE_TASKS, "width": 40}
    _schedule(graphs, runs / days, rng)
    for number, one in enumerate(graphs):
        one["number"] = number
    # This also says how long each graph takes.
    tasks = pa.Table.from_pylist(_tasks(graphs, rng))
    return Network(names, pa.Table.from_pylist(graphs), tasks)


def _graph(
    rng: np.random.Generator, spoke: str, environment: str, graph: str, size: int, width: int
) -> dict[str, object]:
    return {
        "spoke": spoke, "environment": environment, "graph": graph,
        "schema_name": f"{spoke}_{environment}".upper(), "size": size, "width": width,
        "failure_rate": float(rng.beta(1.2, 40.0)) * (2.0 if environment == "DEV" else 1.0),
        "drift": float(rng.normal(0.15, 0.3)), "pace": float(rng.lognormal(2.0, 0.8)),
        "phase": int(rng.integers(0, _DAILY)), "error": int(rng.integers(0, len(ERRORS))),
        "warehouse": None if rng.random() < 0.1 else WAREHOUSES[int(rng.integers(0, len(WAREHOUSES)))],
    }  # fmt: skip


def _schedule(graphs: list[dict[str, object]], a_day: float, rng: np.random.Generator) -> None:
    """``period`` in minutes for each graph, so that they run ``a_day`` tasks together."""
    sizes = np.array([one["size"] for one in graphs], dtype=float)
    # Retries and skipped runs come to little.
    factor = a_day / sizes.sum()
    often = np.full(len(graphs), _DAILY)
    left = a_day - sizes.sum()
    if factor < 1:
        often[:] = max(1, round(_DAILY / factor))
    # The wide one stays daily: real ones of this size do.
    order = [int(one) for one in rng.permutation(len(graphs)) if sizes[one] < WIDE_TASKS]
    for period in reversed(_OFTEN):
        for one in order:
            more = sizes[one] * (_DAILY / period - 1)
            if often[one] == _DAILY and factor >= 1 and more <= left:
                often[one], left = period, left - more
    # More than every graph hourly: all that may run oftener do.
    if factor >= 1 and left > 0:
        total = sum(sizes[one] * _DAILY / often[one] for one in order)
        for one in order:
            often[one] = max(1, round(often[one] * total / (total + left)))
    for graph, period in zip(graphs, often, strict=True):
        graph["period"] = int(period)
        if period > _DAILY:
            # Not all of them on the same day.
            graph["phase"] = int(rng.integers(0, period))


def _tasks(graphs: list[dict[str, object]], rng: np.random.Generator) -> list[dict[str, object]]:
    """Each level begins when the slowest of the one before must have ended."""
    found: list[dict[str, object]] = []
    for one in graphs:
        size, width, pace = int(str(one["size"])), int(str(one["width"])), float(str(one["pace"]))
        base = np.clip(rng.lognormal(np.log(pace), 0.7, size), 0.3, 900.0)
        base[0] = 0.4
        levels = [0 if task == 0 else 1 + (task - 1) // width for task in range(size)]
        offset, level_offset = 0.0, [0.0] * (levels[-1] + 2)
        for level in range(levels[-1] + 1):
            level_offset[level] = offset
            offset += float(max(base[n] for n in range(size) if levels[n] == level)) * 1.4 + 2.0
        one["length"] = offset
        for task in range(size):
            step = f"{_STEPS[(task - 1) % len(_STEPS)]}_{task:02d}"
            name = str(one["graph"]) if task == 0 else f"{one['graph']}${step}"
            code, message = ERRORS[int(str(one["error"]))]
            other = ERRORS[(int(str(one["error"])) + 1) % len(ERRORS)]
            found.append(
                {
                    "number": one["number"], "task": task, "name": name, "level": levels[task],
                    "offset": level_offset[levels[task]], "base": float(base[task]),
                    "code": code, "message": message, "mark": fingerprint(name, code, message.replace("#", "1")),
                    "other_code": other[0], "other_message": other[1],
                    "other_mark": fingerprint(name, other[0], other[1].replace("#", "1")),
                }
            )  # fmt: skip
    return found
