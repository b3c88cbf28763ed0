"""The server, which rests while nobody asks."""

from __future__ import annotations

import asyncio
import signal
from types import FrameType

import uvicorn

# The date in the answers' headers is written anew as often.
_TICK_SECONDS = 1.0


class Server(uvicorn.Server):
    """Uvicorn's, which looks ten times a second whether it shall end. This one is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Until a signal has come."""
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        while not await self.on_tick(0):
            try:
                await asyncio.wait_for(self._ending.wait(), _TICK_SECONDS)
            except TimeoutError:
                continue

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; a second interrupt ends without waiting for open requests."""
        super().handle_exit(signal.Signals(sig), frame)
        if self._loop is not None and self._ending is not None:
            self._loop.call_soon_threadsafe(self._ending.set)
