"""What must agree between the parts of a manifest, checked on the file's content, whatever else is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Keys = tuple[str | int, ...]
# (section, key of its parts, the section that what it names is in)
_REFERENCES = (
    ("feature_views", "entities", "entities"),
    ("graphs", "trains", "models"),
    ("graphs", "predicts", "predictions"),
    ("predictions", "model", "models"),
    ("predictions", "evaluate", "procedures"),
)
# What Snowflake allows a name: https://docs.snowflake.com/en/sql-reference/identifiers-syntax
_LONGEST = 255
# What the client puts between a graph's name and a task's.
_BETWEEN = "$"


def disagreements(tree: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    """(keys, what is wrong) of each part that names another one that is not there, or cannot be told from one."""
    for section, key, target in _REFERENCES:
        known = _mapping(tree.get(target))
        for name, part in _mapping(tree.get(section)).items():
            given = _mapping(part).get(key)
            for other in given if isinstance(given, list) else [given]:
                if isinstance(other, str) and other not in known:
                    yield (section, name, key), f"names {other!r}, which is not among the {target}"
    for graph, part in _mapping(tree.get("graphs")).items():
        if _BETWEEN in graph:
            yield ("graphs", graph), f"should hold no {_BETWEEN}, which parts a graph's name from its task's"
        for kind in ("tasks", "finalizer"):
            for task in _mapping(_mapping(part).get(kind)):
                if len(graph) + len(_BETWEEN) + len(task) > _LONGEST:
                    yield (
                        ("graphs", graph, kind, task),
                        f"should be shorter: with its graph's name at most {_LONGEST - 1} letters",
                    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
