"""The rows of a whole network, or of one phase of a day, as files: `python -m mock_data.files FOLDER`.

They are made by a process of their own. A whole network takes some hundred megabytes and the libraries that make a day
some twenty, which a process that goes on would never quite give back. The child reads the configuration and the phase
as JSON from standard input and prints what it made as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING

from mock_data.config import NetworkConfig
from mock_data.errors import GenerationFailed
from mock_data.tables import (
    DATA_GENERATION_LOG,
    DELIVERY_ATTEMPTS,
    EVENING,
    MORNING,
    PARCELS,
    PUDO_OCCUPANCY,
    PUDO_REFERENCE,
)

if TYPE_CHECKING:
    from mock_data.days import Days
    from mock_data.rows import RowWriter

_LOOK_SECONDS = 0.2
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Files:
    """By table: the file with its rows, and how many there are. ``seconds`` by part."""

    paths: dict[str, str]
    rows: dict[str, int]
    seconds: dict[str, float]


def write(config: NetworkConfig, folder: Path, waiting: Callable[[], None]) -> Files:
    """Have the files of the whole network written into ``folder``.

    ``waiting`` is called while that goes on; when it raises, the work is ended. Raises GenerationFailed when the
    process ends without its files.
    """
    return _made({"config": config.to_json()}, folder, waiting)


def write_phase(config: NetworkConfig, day: date, phase: str, folder: Path) -> Files:
    """Have the files of what one phase of a day adds written into ``folder``.

    Raises GenerationFailed as ``write`` does.
    """
    wanted = {"config": config.to_json(), "day": day.isoformat(), "phase": phase}
    return _made(wanted, folder, lambda: None)


def _made(wanted: dict[str, str], folder: Path, waiting: Callable[[], None]) -> Files:
    command = [sys.executable, "-m", "mock_data.files", str(folder)]
    errors = folder / "errors.txt"
    with (
        errors.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - the program is this interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=_ROOT
        ) as process,
    ):
        sent: bytes | None = json.dumps(wanted).encode()
        try:
            while True:
                try:
                    out, _ = process.communicate(sent, timeout=_LOOK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    sent = None
                    waiting()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        said = errors.read_text(errors="replace").strip().splitlines()
        raise GenerationFailed(
            f"The rows could not be generated: {said[-1] if said else _ended(process.returncode)}.",
            "Try again; a small network needs less memory.",
        )
    return Files(**json.loads(out))


def _ended(status: int) -> str:
    return (
        f"the process ended with {status}"
        if status >= 0
        else f"the process was ended by {Signals(-status).name}"
    )


def generate(config: NetworkConfig, folder: Path) -> Files:
    """Generate the rows of the whole network and write the files, in this process."""
    from mock_data.days import generate_days, period
    from mock_data.network import build_network
    from mock_data.rows import RowWriter

    begun = time.perf_counter()
    network = build_network(config)
    first, last = period(config)
    days = generate_days(network, first, last)
    generated = time.perf_counter()
    with RowWriter(network, folder) as writer:
        paths = {
            PUDO_REFERENCE: writer.reference(),
            **_written(writer, days, MORNING),
            **_written(writer, days, EVENING),
            DATA_GENERATION_LOG: writer.log(days, first, last),
        }
    rows = {PUDO_REFERENCE: len(network), **_counted(days), DATA_GENERATION_LOG: 2 * config.n_days}
    return _told(paths, rows, begun, generated)


def generate_phase(config: NetworkConfig, day: date, phase: str, folder: Path) -> Files:
    """Generate what one phase of a day adds and write the files, in this process."""
    from mock_data.days import generate_days
    from mock_data.network import build_network
    from mock_data.rows import RowWriter, from_date

    begun = time.perf_counter()
    network = build_network(config)
    days = generate_days(network, from_date(day), from_date(day))
    generated = time.perf_counter()
    with RowWriter(network, folder) as writer:
        paths = _written(writer, days, phase)
    return _told(paths, _counted(days), begun, generated)


def _written(writer: RowWriter, days: Days, phase: str) -> dict[str, Path]:
    if phase == MORNING:
        return {PARCELS: writer.parcels(days.parcels)}
    return {
        DELIVERY_ATTEMPTS: writer.attempts(days.journeys, days.attempts),
        PUDO_OCCUPANCY: writer.occupancy(days.occupancy),
    }


def _counted(days: Days) -> dict[str, int]:
    return {
        PARCELS: len(days.parcels),
        DELIVERY_ATTEMPTS: len(days.attempts),
        PUDO_OCCUPANCY: len(days.occupancy),
    }


def _told(paths: dict[str, Path], rows: dict[str, int], begun: float, generated: float) -> Files:
    seconds = {
        "generate": round(generated - begun, 3),
        "write": round(time.perf_counter() - generated, 3),
    }
    return Files({name: str(path) for name, path in paths.items()}, {t: rows[t] for t in paths}, seconds)


def main() -> None:
    wanted = json.load(sys.stdin)
    config, folder = NetworkConfig.from_json(wanted["config"]), Path(sys.argv[1])
    if "phase" in wanted:
        made = generate_phase(config, date.fromisoformat(wanted["day"]), wanted["phase"], folder)
    else:
        made = generate(config, folder)
    sys.stdout.write(json.dumps(asdict(made)))


if __name__ == "__main__":
    main()
