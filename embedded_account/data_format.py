"""The form of an account's files: files of another form are left alone rather than read wrongly.

Raise FORMAT with every change after which older files would be misread (how names are held, what stored views call).
"""

from __future__ import annotations

from pathlib import Path

FORMAT = "2"
_FILE = "format"
_FIRST = "account.duckdb"


class OtherFormatError(Exception):
    """The folder holds an account of another form."""


def require(data: Path) -> None:
    """Mark a new account's folder, before any of its files; pass one that has the mark.

    Raises:
        OtherFormatError: with what to do.
    """
    mark = data / _FILE
    found = mark.read_text().strip() if mark.exists() else ("1" if (data / _FIRST).exists() else None)
    if found is None:
        data.mkdir(parents=True, exist_ok=True)
        temporary = mark.with_suffix(".tmp")
        temporary.write_text(FORMAT)
        temporary.replace(mark)
    elif found != FORMAT:
        raise OtherFormatError(
            f"The account in {data} has files of form {found}, and this version reads form {FORMAT}. Keep the folder "
            "for the version that made it and choose another, or remove it: make clean."
        )
