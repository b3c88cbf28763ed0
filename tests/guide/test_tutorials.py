"""The tutorials' commands, run from the first to the last, print what the tutorials say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guide.tutorials import ROOT, TUTORIALS, Block, Shell, blocks, service


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with service(tmp_path_factory.mktemp("tutorials") / "data") as address:
        found = Shell(address)
        yield found
        found.close()


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_prints_what_it_says(shell: Shell, tutorial: Path) -> None:
    for block in blocks(tutorial):
        printed = shell.run(block)
        assert block.agrees(printed), f"{block.command}printed\n{printed}\nand not\n{block.said}"


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_ends_with_what_one_should_see(tutorial: Path) -> None:
    *_, last = tutorial.read_text(encoding="utf-8").split("\n## ")
    assert last.startswith("What you should see\n")
    assert "](../images/" in last
    # Blocks of another kind would not be run, and every output is held against its command's.
    assert blocks(tutorial)
    assert all(block.said is not None or "()" in block.command for block in blocks(tutorial))


@pytest.mark.parametrize(
    ("said", "printed", "agrees"),
    [
        ("a\nb\n", "a\nb", True),
        ("a\nb\n", "a\nc\nb", False),
        ("a\n…\nb", "a\nc\nd\nb", True),
        ("a …, b", "a 1, b\nmore", False),
        ("a.b", "axb", False),
        (None, "whatever", True),
    ],
)
def test_an_output_is_the_whole_one(said: str | None, printed: str, agrees: bool) -> None:
    assert Block("", said).agrees(printed) is agrees


def test_a_command_that_fails_is_a_failure(tmp_path: Path) -> None:
    shell = Shell("http://127.0.0.1:9")
    assert shell.run(Block("x=1\necho one", None)) == "one\n"
    assert shell.run(Block("printf $x", None)) == "1"
    with pytest.raises(AssertionError, match="two"):
        shell.run(Block("echo two\nfalse\necho three", None))
    shell.close()


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").glob("*.png")}
    assert {name: size for name, size in sizes.items() if size > 200_000} == {}
