"""Spokehub beside MLflow and Dagster, with the same runs and the same questions: `make bench-peers`.

All are measured in one run, one after the other, so that a ratio of two is of the same machine in the same minutes.
The others are installed in environments of their own when they are not there. Before each measurement some of its
answers are looked into: all programs must find the same 50 runs.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.health import generate, header, machine, measure
from tests.bench.peers.programs import PEERS, Program, Spokehub
from tests.bench.peers.runs import LIMIT, Question, Runs, copy_runs, ways
from tests.bench.processes import memory
from tests.programs.environments import NotInstalled

# A synthetic graph run has 19 task runs on average.
TASKS_PER_RUN = 20
# What a server does by itself after its start is over then.
SETTLED_SECONDS = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", default="100_000", help="graph runs, in each program")
    parser.add_argument("--task-runs", help="of Spokehub's history, when it is to have more")
    parser.add_argument("--data", type=Path, help="a data directory that has a history already")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
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
        held = {program.name: measured(program, runs, given.seconds) for program in programs}
        print()
        for named, megabytes in held.items():
            print(f"memory of {named} with all its processes: {megabytes:.0f} MB (PSS)")
        print(f"load {os.getloadavg()[0]:.1f} at the end, of which about one is the measurement itself")
    return 0


def measured(program: Program, runs: Runs, seconds: float) -> float:
    """Print the rows of a program; its memory afterwards, in MB."""
    with (
        program.serving() as (port, pid),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        time.sleep(SETTLED_SECONDS)
        for name, questions in ways(runs).items():
            for question in (questions[0], questions[len(questions) // 2], questions[-1]):
                check(program, client, runs, question)
            measure(port, f"{program.name}: {name}", [program.ask(one) for one in questions], seconds)
        client.get(program.page, headers={"accept": "text/html"}).raise_for_status()
        measure(port, f"{program.name}: {program.page_is}", [program.page], seconds)
        return memory(pid)


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
