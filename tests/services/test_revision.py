"""What comes in great numbers moves the revision once in a while; what matters moves it at once."""

import pytest

from services.core import revision
from services.core.revision import Revision


def test_it_moves_at_once_or_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(revision, "monotonic", lambda: now[0])
    one = Revision()
    one.bump()
    seen = [one.value]
    for _ in range(6):
        one.bump_soon()
        now[0] += 0.125
        seen.append(one.value)
    assert seen == [1, 1, 1, 2, 2, 2, 3]
    one.bump_soon()
    one.bump()
    now[0] += 1.0
    assert one.value == 4
