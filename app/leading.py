"""What the one process does that writes: the embedded account, the queue of operations, the schedule.

Another process on the same data answers pages from what this one publishes, and takes all of it over when it ends.
"""

import threading
import time
from pathlib import Path

from services.core.errors import SpokehubError
from services.core.logging import logger
from services.operations import Operations
from services.snowflake.embedded import EmbeddedAccount, claim_folder
from services.sync.schedule import Schedule

# Less than the lease lasts, which is not renewed meanwhile.
_CLAIM_SECONDS = 8.0

log = logger(__name__)


class Leading:
    """``begin`` or ``join`` at the start; then the history's keeper says when the role changes."""

    def __init__(
        self, operations: Operations, schedule: Schedule, embedded: EmbeddedAccount | None, data: Path
    ) -> None:
        self._operations = operations
        self._schedule = schedule
        self._embedded = embedded
        self._data = data
        self._claimed = False
        self._ended = False
        self._changing = threading.Lock()

    def begin(self, *, soon: bool) -> None:
        """Work; with ``soon`` a moment later."""
        if soon:
            self._operations.start_soon()
        else:
            self._operations.start()
        self._schedule.start()

    def join(self) -> None:
        """Leave the work to another process, which gets what is submitted here."""
        self._operations.start_elsewhere()

    def take_over(self) -> None:
        """The other process ended."""
        log.info("leading.taken_over")
        if self._embedded is not None and self._embedded.following:
            self._launch(self._embedded)
        with self._changing:
            if not self._ended:
                self.begin(soon=True)

    def _launch(self, embedded: EmbeddedAccount) -> None:
        end = time.monotonic() + _CLAIM_SECONDS
        folder = self._data
        while True:
            try:
                if not self._claimed:
                    # Held until this process ends.
                    claim_folder(folder / "spokehub.lock", f"Spokehub's data in {folder}", "spokehub serve")
                    self._claimed = True
                return embedded.start()
            except SpokehubError as error:
                # Who gives the lease back ends a moment later.
                if time.monotonic() > end:
                    log.warning("leading.account_left", error=error.message)
                    return None
            time.sleep(0.1)

    def give_up(self) -> None:
        """Another process took the lease while this one was held up: it works now."""
        log.error("leading.lost", note="this process reads on, and works again once the other one ends")
        with self._changing:
            if self._ended:
                return
            self._schedule.stop(1.0)
            self._operations.stop(1.0)
            self.join()

    def at_rest(self) -> bool:
        """Whether nothing goes on here that was begun as the one that works."""
        return self._operations.at_rest

    def end(self) -> None:
        """The process stops: it does not begin again."""
        with self._changing:
            self._ended = True
