"""The account's parts are put together: no row lost, none too many at once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from services.sync import reader


@pytest.mark.parametrize("sizes", [[], [0], [3], [4, 4], [1, 2, 3, 0, 9, 1], [25]])
def test_parts_are_put_together(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_TABLE", 4)
    first, tables = 0, []
    for at, size in enumerate(sizes):
        # A number is as narrow as its part allows.
        kind = pa.int8() if at % 2 else pa.int64()
        tables.append(pa.table({"n": pa.array(range(first, first + size), kind)}))
        first += size
    found = list(reader._together(tables))
    assert [n for part in found for n in part["n"].to_pylist()] == list(range(first))
    assert all(0 < part.num_rows <= 4 for part in found)
