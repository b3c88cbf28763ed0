"""Packs a spoke and the kit into one zip that is the same, byte for byte, for the same content."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import spoke_kit

#: The stage in the spoke's schema that bundles are put on.
STAGE = "BUNDLES"

_SUFFIXES = {".py", ".yaml", ".yml", ".sql", ".json", ".txt", ".csv"}
_SKIPPED = {"__pycache__", "tests", "notebooks"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """A zip of ``<spoke>/…`` and ``spoke_kit/…``; ``digest`` is the SHA-256 of its content in hexadecimal."""

    spoke: str
    digest: str
    data: bytes
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """File name on the stage: it changes with the content, so a running graph keeps its code."""
        return f"{self.spoke}-{self.digest[:16]}.zip"


def build(spoke_directory: Path) -> Bundle:
    """Pack the spoke with the kit that is running."""
    spoke = spoke_directory.resolve().name
    kit = Path(spoke_kit.__file__).parent
    content = {**_content(spoke_directory, spoke), **_content(kit, "spoke_kit")}
    digest = hashlib.sha256()
    for name, data in sorted(content.items()):
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return Bundle(spoke, digest.hexdigest(), _zip(content), tuple(sorted(content)))


def _content(directory: Path, prefix: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in sorted(directory.rglob("*")):
        parts = path.relative_to(directory).parts
        hidden = any(part in _SKIPPED or part.startswith(".") for part in parts)
        if path.is_file() and path.suffix in _SUFFIXES and not hidden:
            found["/".join((prefix, *parts))] = path.read_bytes()
    return found


def _zip(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(content.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
