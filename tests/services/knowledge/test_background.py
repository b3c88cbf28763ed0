"""What is read in the background: once for all who ask before it begins, and again for who asks later."""

from __future__ import annotations

import threading

from services.knowledge.background import Background


def test_what_waits_for_its_turn_is_read_once() -> None:
    began, go = threading.Event(), threading.Event()
    read: list[str | None] = []

    def one(part: str | None) -> bool:
        began.set()
        assert go.wait(10)
        read.append(part)
        return True

    background = Background(one)
    background.request(["hub"])
    assert began.wait(10)
    assert background.busy
    for _ in range(3):
        background.request(["simulation"])
    threading.Timer(0.2, go.set).start()
    background.request(["simulation"], wait=10)
    assert read == ["hub", "simulation"]
    background.stop()


def test_who_asks_meanwhile_waits_for_what_is_read_after_that() -> None:
    began, go = threading.Event(), threading.Event()
    rounds: list[int] = []

    def one(part: str | None) -> bool:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            began.set()
            assert go.wait(10)
        return True

    background = Background(one)
    background.request([None])
    assert began.wait(10)
    threading.Timer(0.2, go.set).start()
    background.request([None], wait=10)
    assert rounds == [0, 1]
    background.stop()
