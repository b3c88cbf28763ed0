"""The account's compute: at most so many workers at once, warm ones for models, every end accounted for."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from embedded_account.compute import request
from embedded_account.compute.channel import ChannelClosedError
from embedded_account.compute.jobs import Job, JobError, ModelMethodJob, Outcome, ProcedureJob
from embedded_account.compute.process import ForkServerProcess
from embedded_account.compute.warm import WarmWorkers, model_key
from embedded_account.compute.worker_handle import Ended, Stopped, WorkerHandle

_SLICE = 0.05


class ComputePool:
    """Runs jobs in forked workers. Thread-safe; ``close`` ends everything that still runs.

    Procedures have ``limit`` slots (default: twice the processors, at least 4), functions and model methods
    as many of their own, so that a procedure which waits for a model cannot take the slot that the model
    needs. ``work_dir`` is where the private work directory is made. So many workers as ``warm_models`` (default: one
    for each processor, at least 2) keep their model for ``warm_seconds`` after its last use. After ``rest_seconds``
    without a job the fork server ends, and with it what it has loaded; the next job starts another. None: never.
    """

    def __init__(
        self,
        start: bool = True,
        *,
        limit: int | None = None,
        work_dir: Path | None = None,
        warm_seconds: float = 20.0,
        warm_models: int | None = None,
        rest_seconds: float | None = None,
    ) -> None:
        size = limit or max(4, 2 * (os.cpu_count() or 1))
        self._procedures = threading.BoundedSemaphore(size)
        self._functions = threading.BoundedSemaphore(size)
        self._work_dir = work_dir
        self._server: ForkServerProcess | None = None
        self._lock = threading.Lock()
        self._number = 0
        self._closed = threading.Event()
        self._warm = WarmWorkers(warm_models or max(2, os.cpu_count() or 1))
        self._warm_seconds = warm_seconds
        self._rest_seconds = rest_seconds
        self._running = 0
        self._used = time.monotonic()
        if start:
            self._running_server()

    def prepare(self) -> None:
        """Begin the preload, which the first job does otherwise. RuntimeError on a closed pool."""
        self._running_server()

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait for the preload; False when it did not finish in time or the fork server could not start."""
        return self._running_server().wait_ready(timeout)

    def run(self, job: Job, timeout: float | None = None, cancel: threading.Event | None = None) -> Outcome:
        """Run one job to its end. Never raises for what the job does: see Outcome.error.

        ``timeout`` in seconds counts from this call; when it passes, or ``cancel`` is set, the worker's whole
        process group is killed. Raises RuntimeError on a closed pool.
        """
        started = time.monotonic()
        deadline = None if timeout is None else started + timeout
        try:
            with self._at_work(), self._slot(job, deadline, cancel):
                outcome = self._model(job, deadline, cancel) if isinstance(job, ModelMethodJob) else None
                outcome = outcome or self._once(job, deadline, cancel)
        except Stopped as stop:
            outcome = Outcome(error=_stopped(stop, timeout), stdout=stop.stdout, stderr=stop.stderr)
        except ChannelClosedError as error:
            outcome = Outcome(error=JobError("crashed", "ComputeUnavailable", str(error)))
        except (OSError, ValueError) as error:
            outcome = Outcome(error=JobError("refused", type(error).__name__, str(error)))
        return replace(outcome, seconds=time.monotonic() - started)

    def status(self) -> dict[str, Any]:
        """The fork server now: pid, work directory and, once ready, seconds, threads, missing modules."""
        server = self._running_server()
        return {"pid": server.pid, "root": str(server.root), **server.ready_message}

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            server, self._server = self._server, None
        self._warm.close()
        if server is not None:
            server.close()

    def __enter__(self) -> ComputePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running_server(self) -> ForkServerProcess:
        with self._lock:
            if self._closed.is_set():
                raise RuntimeError("the compute pool is closed")
            if self._server is None or not self._server.alive:
                if self._server is not None:
                    self._server.close()
                self._server = ForkServerProcess(self._work_dir)
                if self._rest_seconds is not None:
                    threading.Thread(
                        target=self._rest,
                        args=(self._server, self._rest_seconds),
                        name="compute-rest",
                        daemon=True,
                    ).start()
            self._used = time.monotonic()
            return self._server

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._used = time.monotonic()

    def _rest(self, server: ForkServerProcess, seconds: float) -> None:
        """End this server once it had nothing to do for so long."""
        wait = seconds
        while not self._closed.wait(wait):
            with self._lock:
                if self._server is not server:
                    return
                wait = seconds if self._running else self._used + seconds - time.monotonic()
                if wait <= 0:
                    self._server = None
                    break
        else:
            return
        server.close()

    @contextlib.contextmanager
    def _slot(self, job: Job, deadline: float | None, cancel: threading.Event | None) -> Iterator[None]:
        if isinstance(job, ProcedureJob) and job.nested:
            yield
            return
        slots = self._procedures if isinstance(job, ProcedureJob) else self._functions
        while not slots.acquire(timeout=_SLICE):
            if cancel is not None and cancel.is_set():
                raise Stopped("cancelled")
            if deadline is not None and time.monotonic() >= deadline:
                raise Stopped("timeout")
        try:
            yield
        finally:
            slots.release()

    def _start(self, job: Job) -> WorkerHandle:
        try:
            return self._start_on(self._running_server(), job)
        except ChannelClosedError:
            # It died since we looked; a fresh one is started once.
            return self._start_on(self._running_server(), job)

    def _start_on(self, server: ForkServerProcess, job: Job) -> WorkerHandle:
        with self._lock:
            self._number += 1
            home = server.root / str(self._number)
        model = isinstance(job, ModelMethodJob)
        try:
            request.write_home(home, job)
            message = {
                "home": str(home),
                "once": not model,
                "idle": self._warm_seconds if model else None,
                "readable": [str(job.model_dir.resolve())] if isinstance(job, ModelMethodJob) else [],
                "limits": request.limits_message(job),
            }
            return WorkerHandle(server.spawn(message), home)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise

    def _once(self, job: Job, deadline: float | None, cancel: threading.Event | None) -> Outcome:
        worker = self._start(job)
        try:
            answered, _ = worker.ask(job, deadline, cancel)
            ended = worker.wait_end()
            return (
                replace(answered, max_rss=max(answered.max_rss, ended.max_rss))
                if answered
                else _crashed(ended)
            )
        except Ended as ended:
            return _crashed(ended)
        finally:
            worker.close()

    def _model(self, job: ModelMethodJob, deadline: float | None, cancel: threading.Event | None) -> Outcome:
        key = model_key(job)
        worker = self._warm.take(key)
        warm = worker is not None
        while True:
            worker = worker or self._start(job)
            try:
                answered, folder = worker.ask(job, deadline, cancel)
            except Ended as ended:
                worker.close()
                if warm and not ended.started:
                    # It went idle and left just before the request came: nothing has run yet.
                    worker, warm = None, False
                    continue
                return _crashed(ended)
            except BaseException:
                worker.close()
                raise
            if answered is None or answered.error is not None:
                worker.close()
                return answered or _crashed(Ended(0, 0, "it left no answer"))
            shutil.rmtree(folder, ignore_errors=True)
            self._warm.give(key, worker)
            return replace(answered, details={"warm": warm})


def _stopped(stop: Stopped, timeout: float | None) -> JobError:
    if stop.kind == "timeout":
        return JobError(
            "timeout",
            "StatementTimeout",
            f"Statement reached its timeout of {timeout:g} second(s) and was cancelled.",
        )
    return JobError("cancelled", "Cancelled", "SQL execution canceled")


def _crashed(ended: Ended) -> Outcome:
    if ended.reason:
        why = ended.reason
    elif ended.status < 0:
        why = f"it was ended by signal {signal.Signals(-ended.status).name}"
    else:
        why = f"it exited with status {ended.status}"
    message = f"The Python worker ended without a result: {why}."
    return Outcome(
        error=JobError("crashed", "WorkerCrashed", message),
        stdout=ended.stdout,
        stderr=ended.stderr,
        max_rss=ended.max_rss,
    )
