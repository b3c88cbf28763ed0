"""An account of another version is refused with what to do, and nothing of it is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from embedded_account.account import Account
from embedded_account.data_format import OtherFormatError


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("mark", [None, "1", "3"])
def test_files_of_another_form_are_left_alone(tmp_path: Path, mark: str | None) -> None:
    folder = tmp_path / "account"
    Account(folder).close()
    (folder / "format").unlink()
    if mark is not None:
        (folder / "format").write_text(mark)
    before = files(folder)
    with pytest.raises(
        OtherFormatError, match=f"has files of form {mark or 1}, and this version reads form 2"
    ):
        Account(folder)
    assert files(folder) == before


def test_the_command_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "account.duckdb").touch()
    done = subprocess.run(
        [sys.executable, "-m", "embedded_account", "--data", str(folder), "--port", "0"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "make clean" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_account_opens_again(tmp_path: Path) -> None:
    for _ in range(2):
        Account(tmp_path / "account").close()
