"""What a model version's files say about it: MANIFEST.yml (methods, runtimes) and model/model.yaml (the specification).

snowflake-ml writes both when it logs a model; Snowflake reads the manifest when it creates the version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from embedded_account.errors import SnowflakeError, unsupported

MANIFEST = "MANIFEST.yml"
SPECIFICATION = Path("model", "model.yaml")


@dataclass(frozen=True)
class Method:
    """One SQL function of a model version. Inputs, parameters and outputs are (name, SQL type) pairs."""

    name: str
    handler: str
    is_table: bool
    inputs: list[tuple[str, str]]
    parameters: list[tuple[str, str]]
    outputs: list[tuple[str, str]]

    @property
    def returns_object(self) -> bool:
        """Whether outputs come packed in one OBJECT; a single output of another type comes as it is."""
        return len(self.outputs) != 1 or self.outputs[0][1].upper().startswith("OBJECT")

    @property
    def return_type(self) -> str:
        if self.is_table:
            listed = ", ".join(f"{name} {kind}" if name else kind for name, kind in self.outputs)
            return f"TABLE ({listed})"
        return "OBJECT" if self.returns_object else self.outputs[0][1]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a version that is about to be created.

    Raises:
        SnowflakeError: 398507 without a manifest, 398508 for one that cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise SnowflakeError(
            f"Unable to read file {MANIFEST}: it is not among the files of the model version.",
            398507,
            "22000",
        )
    try:
        manifest = yaml.safe_load(path.read_text())
        methods = manifest["methods"]
        [method_of(entry) for entry in methods]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise SnowflakeError(f"Invalid file {MANIFEST}: {error}", 398508, "22000") from None
    if any(
        runtime.get("language", "PYTHON") != "PYTHON" for runtime in manifest.get("runtimes", {}).values()
    ):
        raise unsupported("model runtime of another language than Python")
    return dict(manifest)


def _pairs(entries: Any) -> list[tuple[str, str]]:
    return [(str(entry.get("name", "")), str(entry["type"])) for entry in entries or ()]


def method_of(entry: dict[str, Any]) -> Method:
    """A method from its entry in the manifest (or in the catalog, which keeps the entry as it is)."""
    return Method(
        name=str(entry["name"]).strip('"')
        if str(entry["name"]).startswith('"')
        else str(entry["name"]).upper(),
        handler=str(entry["handler"]),
        is_table=str(entry.get("type", "FUNCTION")).upper() == "TABLE_FUNCTION",
        inputs=_pairs(entry.get("inputs")),
        parameters=_pairs(entry.get("params")),
        outputs=_pairs(entry.get("outputs")),
    )


def described(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """What SHOW VERSIONS tells of the files, as the catalog keeps it."""
    return {
        "methods": manifest["methods"],
        "user_data": manifest.get("user_data", {}),
        "runtimes": manifest.get("runtimes", {}),
        "platforms": manifest.get("target_platforms") or ["WAREHOUSE", "SNOWPARK_CONTAINER_SERVICES"],
        "attributes": _attributes(folder),
        "size": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }


def specification(folder: Path) -> str | None:
    """The text of model.yaml, which clients parse to know signatures and the model's kind."""
    path = folder / SPECIFICATION
    return path.read_text() if path.is_file() else None


def _attributes(folder: Path) -> dict[str, Any]:
    text = specification(folder)
    try:
        found = yaml.safe_load(text) if text else None
    except yaml.YAMLError as error:
        raise SnowflakeError(f"Invalid file {SPECIFICATION}: {error}", 398508, "22000") from None
    if not isinstance(found, dict):
        return {}
    blobs = found.get("models") or {}
    task = next((b["options"]["task"] for b in blobs.values() if (b.get("options") or {}).get("task")), None)
    return {
        "framework": found.get("model_type"),
        "task": task or found.get("task") or "UNKNOWN",
        "client": f"snowflake-ml-python {found.get('env', {}).get('snowpark_ml_version', '')}".strip(),
    }


def environment(runtimes: dict[str, Any]) -> str:
    """The `environment` column: the default runtime and every runtime's dependencies."""
    return json.dumps({"default_runtime": next(iter(runtimes), None), "runtimes": runtimes})
