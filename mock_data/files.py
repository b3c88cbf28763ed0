"""The rows of a whole network as files, made by a process of their own: `python -m mock_data.files FOLDER`.

Making them takes some hundred megabytes, which a process that goes on would never quite give back. The child reads
the configuration as JSON from standard input and prints what it made as JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from mock_data.config import NetworkConfig
from mock_data.errors import GenerationFailed
from mock_data.tables import (
    DATA_GENERATION_LOG,
    DELIVERY_ATTEMPTS,
    PARCELS,
    PUDO_OCCUPANCY,
    PUDO_REFERENCE,
)

_LOOK_SECONDS = 0.2
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Files:
    """By table: the file with its rows, and how many there are. ``seconds`` by part."""

    paths: dict[str, str]
    rows: dict[str, int]
    seconds: dict[str, float]


def write(config: NetworkConfig, folder: Path, waiting: Callable[[], None]) -> Files:
    """Have the files written into ``folder``.

    ``waiting`` is called while that goes on; when it raises, the work is ended. Raises GenerationFailed when the
    process ends without its files.
    """
    command = [sys.executable, "-m", "mock_data.files", str(folder)]
    errors = folder / "errors.txt"
    with (
        errors.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - the program is this interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=_ROOT
        ) as process,
    ):
        sent: bytes | None = config.to_json().encode()
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
            f"The rows could not be generated: {said[-1] if said else f'status {process.returncode}'}.",
            "Try again; a small network needs less memory.",
        )
    return Files(**json.loads(out))


def generate(config: NetworkConfig, folder: Path) -> Files:
    """Generate the rows and write the files, in this process."""
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
            PARCELS: writer.parcels(days.parcels),
            DELIVERY_ATTEMPTS: writer.attempts(days.journeys, days.attempts),
            PUDO_OCCUPANCY: writer.occupancy(days.occupancy),
            DATA_GENERATION_LOG: writer.log(days, first, last),
        }
    rows = {
        PUDO_REFERENCE: len(network),
        PARCELS: len(days.parcels),
        DELIVERY_ATTEMPTS: len(days.attempts),
        PUDO_OCCUPANCY: len(days.occupancy),
        DATA_GENERATION_LOG: 2 * config.n_days,
    }
    seconds = {
        "generate": round(generated - begun, 3),
        "write": round(time.perf_counter() - generated, 3),
    }
    return Files({name: str(path) for name, path in paths.items()}, rows, seconds)


def main() -> None:
    made = generate(NetworkConfig.from_json(sys.stdin.read()), Path(sys.argv[1]))
    sys.stdout.write(json.dumps(asdict(made)))


if __name__ == "__main__":
    main()
