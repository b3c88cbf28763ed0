"""Compiled templates are kept, and never used for another source or other filters."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from app.pages import format as formats
from app.pages.render import Compiled


class Counting(Environment):
    compiled = 0

    def _generate(self, *arguments: object, **named: object) -> str:
        self.compiled += 1
        return super()._generate(*arguments, **named)  # type: ignore[arg-type]


def written(folder: Path, source: str, *, write: bool = True) -> tuple[str, int]:
    """What a new process makes of a template, and how often it compiled."""
    environment = Counting(
        loader=DictLoader({"page": source}), bytecode_cache=Compiled(folder, write=write), autoescape=True
    )
    environment.filters.update(formats.FILTERS)
    return environment.get_template("page").render(), environment.compiled


def test_a_template_is_compiled_once(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    assert written(folder, "{{ 1 }} <") == ("1 <", 1)
    assert written(folder, "{{ 1 }} <") == ("1 <", 0)
    assert written(folder, "{{ 2 }} <") == ("2 <", 1)


def test_other_filters_compile_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(tmp_path, "{{ 1 }}") == ("1", 1)
    other = tmp_path / "format.py"
    other.write_text(Path(formats.__file__).read_text() + "# changed\n")
    monkeypatch.setattr(formats, "__file__", str(other))
    assert written(tmp_path, "{{ 1 }}") == ("1", 1)


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    assert written(tmp_path / "none" / "below", "{{ 1 }}") == ("1", 1)
    folder = tmp_path / "none"
    assert written(folder, "{{ 1 }}", write=False) == ("1", 1)
    assert not folder.exists()


def test_what_is_damaged_is_compiled_anew(tmp_path: Path) -> None:
    assert written(tmp_path, "{{ 1 }} <") == ("1 <", 1)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for cut in range(len(whole)):
        kept.write_bytes(whole[:cut])
        assert written(tmp_path, "{{ 1 }} <") == ("1 <", 1), cut
        assert written(tmp_path, "{{ 1 }} <") == ("1 <", 0), cut
    kept.unlink()
    kept.mkdir()
    assert written(tmp_path, "{{ 1 }} <") == ("1 <", 1)
