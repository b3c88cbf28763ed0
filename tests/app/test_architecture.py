"""The shape that docs/architecture.md describes, read off the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a value of any type may be called. A collaborator has a name of its own, and a type.
VALUES = {
    "base", "command", "cursor_class", "default", "detail", "kind", "name", "objects", "owner", "params", "port",
    "result", "text", "tree", "value",
}  # fmt: skip
LOOSE = {"Any", "Any | None", "None | Any", "object", "'Any'"}
# The database's own hooks, which SQLAlchemy calls.
HOOKS = {("services/db/engine.py", "connection"), ("services/db/engine.py", "_record")}
DOMAINS = (
    "costs",
    "example",
    "features",
    "health",
    "hub",
    "overview",
    "predictions",
    "registry",
    "simulation",
    "spokes",
    "sync",
    "training",
)


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def untyped(path: Path) -> Iterator[tuple[str, str]]:
    """(file, name) of each parameter and attribute that may be anything."""
    where = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            given = [(one.arg, one.annotation) for one in arguments]
        elif isinstance(node, ast.ClassDef):
            body = [part for part in node.body if isinstance(part, ast.AnnAssign)]
            given = [(ast.unparse(part.target), part.annotation) for part in body]
        else:
            continue
        for name, annotation in given:
            if annotation is not None and ast.unparse(annotation) in LOOSE:
                yield where, name


def test_every_collaborator_has_a_type() -> None:
    found = {each for path in sources("app", "services") for each in untyped(path)}
    assert sorted(found - HOOKS) == sorted(each for each in found - HOOKS if each[1] in VALUES)


def test_a_collaborator_of_any_type_is_seen(tmp_path: Path) -> None:
    source = "class Hub:\n    source: Any\n    def __init__(self, around: Any, value: Any) -> None: ...\n"
    (ROOT / "var").mkdir(exist_ok=True)
    path = ROOT / "var" / "seen.py"
    path.write_text(source)
    try:
        assert {name for _, name in untyped(path)} - VALUES == {"source", "around"}
    finally:
        path.unlink()


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_has_the_same_file_in_each_part(domain: str) -> None:
    for part in ("app/api", "app/schemas"):
        assert (ROOT / part / f"{domain}.py").is_file(), part
    assert {path.stem for path in (ROOT / "services" / domain).glob("*.py")} >= {"service", "types"}


def test_the_service_knows_no_spoke() -> None:
    """Outside the example and the simulation of its data, no name of a spoke and none of what it is about."""
    words = re.compile(
        r"pudo|TRAINING_DAG|INFERENCE_DAG|fill.?rate|occupancy|parcels?\b|\bdelivery\b", re.IGNORECASE
    )
    found = []
    for package in ("app", "services", "templates"):
        for path in sorted((ROOT / package).rglob("*")):
            where = path.relative_to(ROOT)
            known = where.parts[:2] in (("services", "example"), ("services", "simulation"), ("app", "site"))
            if known or path.suffix not in (".py", ".html", ".js", ".css") or "simulation" in path.stem:
                continue
            if "vendor" in where.parts or path.stem == "example":
                continue
            found += [
                f"{where}:{number}: {line.strip()}"
                for number, line in enumerate(path.read_text().splitlines(), 1)
                if words.search(line)
            ]
    assert found == []
