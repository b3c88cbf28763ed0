"""Spokehub beside MLflow and Dagster, with the same runs and the same questions: `make bench-peers`.

All are measured in one run, one after the other, so that a ratio of two is of the same machine in the same minutes.
The others are installed in environments of their own when they are not there. Before each measurement some of its
answers are looked into: all programs must find the same 50 runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.health import generate, header, machine, measure
from tests.bench.load import Ask
from tests.bench.peers.programs import PEERS, Program, Spokehub
from tests.bench.peers.runs import LIMIT, Question, Runs, copy_runs, ways
from tests.bench.resting import Process
from tests.programs.environments import NotInstalled

# A synthetic graph run has 19 task runs on average.
TASKS_PER_RUN = 20
# What a server does by itself after its start is over then.
SETTLED_SECONDS = 5.0
CORES = os.cpu_count() or 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", default="100_000", help="graph runs, in each program")
    parser.add_argument("--task-runs", help="of Spokehub's history, when it is to have more")
    parser.add_argument("--data", type=Path, help="a data directory that has a history already")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--peers", nargs="*", choices=sorted(PEERS), default=list(PEERS))
    given = parser.parse_args()
    # The servers end with this process when it is asked to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = int(given.runs)
    machine()
    with tempfile.TemporaryDirectory(prefix="spokehub-peers-") as name:
        folder = Path(name)
        data = given.data or folder / "spokehub"
        if given.data is None:
            data.mkdir()
            generate(given.task_runs or str(wanted * TASKS_PER_RUN), data)
        runs = copy_runs(data / "history.duckdb", wanted, folder / "runs.json")
        print(f"{runs.known:,} graph runs in Spokehub; the newest {len(runs.scheduled):,} in the others")
        programs: list[Program] = [Spokehub(data.resolve())]
        print(f"Spokehub: {programs[0].version()}")
        for peer in given.peers:
            (folder / peer).mkdir()
            program = PEERS[peer](folder / peer)
            begun = time.perf_counter()
            try:
                program.install()
            except NotInstalled as error:
                print(f"{program.name} is left out, it cannot be installed: {error}")
                continue
            installed = time.perf_counter()
            program.fill(runs)
            print(
                f"{program.name}: {program.version()}; installed in {installed - begun:.0f} s, "
                f"filled in {time.perf_counter() - installed:.0f} s",
                flush=True,
            )
            programs.append(program)
        print()
        header()
        lines = [line for program in programs for line in measured(program, runs, given.seconds)]
        print(f"\n{'':<34}{'ms an answer':>14}{'taken by others':>22}", *lines, sep="\n")
        print(f"load {os.getloadavg()[0]:.1f} at the end")
    return 0


def measured(program: Program, runs: Runs, seconds: float) -> list[str]:
    """Print the rows of a program; lines on what they took: processor time of the program and all that it started for
    one answer, the share of all processors that others had meanwhile, and the program's memory at the end.
    """
    lines = []
    with (
        program.serving() as (port, pid),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        time.sleep(SETTLED_SECONDS)

        def row(name: str, asks: Sequence[Ask]) -> None:
            before, begun = Spent.of(pid), time.perf_counter()
            loads = measure(port, name, asks, seconds)
            spent = Spent.of(pid) - before
            answers = max(1, sum(load.requests for load in loads))
            others = spent.others / (time.perf_counter() - begun) / CORES
            lines.append(f"{name:<34}{1000 * spent.program / answers:>14.2f}{others:>22.0%}")

        for name, questions in ways(runs).items():
            for question in (questions[0], questions[len(questions) // 2], questions[-1]):
                check(program, client, runs, question)
            row(f"{program.name}: {name}", [program.ask(one) for one in questions])
        client.get(program.page, headers={"accept": "text/html"}).raise_for_status()
        row(f"{program.name}: {program.page_is}", [program.page])
        held = sum(process.pss for process in Process(pid).family())
    return [*lines, f"{program.name}: memory {held:,.0f} MB (PSS)"]


@dataclass(frozen=True)
class Spent:
    """Seconds of processors: of a program with all that it started, and of what is no part of the measurement."""

    program: float
    others: float

    @classmethod
    def of(cls, pid: int) -> Spent:
        program = sum(process.seconds for process in Process(pid).family())
        # The processes that ask are children, and have ended.
        asking = sum(
            sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        # user, nice and system; then irq, softirq and steal, behind idle and iowait.
        busy = (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")
        return cls(program, busy - program - asking)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.program - other.program, self.others - other.others)


def check(program: Program, client: httpx.Client, runs: Runs, question: Question) -> None:
    """ValueError when the answer does not have the runs that were asked for."""
    ask = program.ask(question)
    if isinstance(ask, str):
        answer = client.get(ask)
    else:
        answer = client.post(ask[0], content=ask[1], headers={"content-type": "application/json"})
    answer.raise_for_status()
    found, wanted = program.found(answer.json()), runs.answer(question)
    if len(wanted) < LIMIT:
        raise ValueError(f"there are only {len(wanted)} runs for {question}: copy more")
    if found != wanted:
        raise ValueError(f"{program.name} answers {ask} with runs of {found}, not of {wanted}")


if __name__ == "__main__":
    sys.exit(main())
