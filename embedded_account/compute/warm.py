"""Workers that keep one model version loaded between requests."""

from __future__ import annotations

import threading
from pathlib import Path

from embedded_account.compute.jobs import ModelMethodJob
from embedded_account.compute.worker_handle import WorkerHandle

Key = tuple[str, int, str, str]


def model_key(job: ModelMethodJob) -> Key:
    """A version's directory as it is now, its method, and the limits of the worker."""
    directory = job.model_dir.resolve()
    manifest = Path(directory, "MANIFEST.yml")
    changed = manifest.stat().st_mtime_ns if manifest.exists() else 0
    return str(directory), changed, job.handler, repr(job.limits)


class WarmWorkers:
    """Idle workers by model method; the longest unused goes when there are more than ``size``."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._idle: list[tuple[Key, WorkerHandle]] = []
        self._lock = threading.Lock()
        self._closed = False

    def take(self, key: Key) -> WorkerHandle | None:
        """An idle worker for this method, which the caller then owns. Dead ones met on the way are cleared
        up.
        """
        found, dead = None, []
        with self._lock:
            for entry in list(self._idle):
                wanted = entry[0] == key and found is None
                alive = entry[1].alive()
                if alive and not wanted:
                    continue
                self._idle.remove(entry)
                if alive:
                    found = entry[1]
                else:
                    dead.append(entry[1])
        for worker in dead:
            worker.close()
        return found

    def give(self, key: Key, worker: WorkerHandle) -> None:
        """Hand a worker back; it or an older one is ended if there are too many."""
        with self._lock:
            self._idle.append((key, worker))
            keep = 0 if self._closed else self._size
            surplus = [self._idle.pop(0)[1] for _ in range(len(self._idle) - keep)]
        for extra in surplus:
            extra.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            workers = [worker for _, worker in self._idle]
            self._idle.clear()
        for worker in workers:
            worker.close()
