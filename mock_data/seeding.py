"""Loads a whole synthetic network into a schema, once and completely, whatever happens on the way."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from snowflake.connector import SnowflakeConnection

from mock_data import files
from mock_data.config import NetworkConfig
from mock_data.errors import SeededDifferently, TablesNotEmpty
from mock_data.loader import Loader
from mock_data.tables import (
    DATA_GENERATION_CONFIG,
    SOURCE_TABLES,
)

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class SeedReport:
    """What the seed did. `rows` by table; `seconds` by part, empty when the schema was seeded already."""

    already_seeded: bool
    first_day: date
    last_day: date
    rows: dict[str, int]
    seconds: dict[str, float]


def seed(
    conn: SnowflakeConnection,
    schema: str,
    config: NetworkConfig | None = None,
    on_progress: Progress | None = None,
    *,
    reset: bool = False,
) -> SeedReport:
    """Create the tables in `schema` ("DB"."SCHEMA") and load the network of `config` (default if None).

    All rows become visible in one transaction together with the row that records the configuration, so a
    run that was killed leaves nothing and can be repeated. A schema seeded with an equal configuration is
    left as it is, simulated days included. Raises SeededDifferently or TablesNotEmpty where rows would be
    lost; `reset` deletes them. `on_progress` gets a fraction in 0..1 and what is being done.
    """
    config = config or NetworkConfig()
    report = on_progress or (lambda fraction, message: None)
    loader = Loader(conn, schema)
    if not reset and (done := _already_seeded(loader, config)):
        report(1.0, "Already seeded with this configuration")
        return done
    report(0.0, "Creating the tables")
    for statement in loader.statements.create_tables():
        loader.run(statement)
    if reset:
        clear(loader)
    elif filled := {name: count for name, count in loader.rows(loader.statements.count_rows()) if count}:
        raise TablesNotEmpty(
            f"The tables hold rows of unknown origin: {filled}.", "Seed with reset to replace them."
        )
    with TemporaryDirectory(prefix="mock_data_") as folder:
        return _load(loader, config, Path(folder), report)


def clear(loader: Loader) -> None:
    """Delete every row, the configuration included."""
    with loader.transaction():
        for name in (DATA_GENERATION_CONFIG, *SOURCE_TABLES):
            loader.run(loader.statements.delete_all(name))


def _already_seeded(loader: Loader, config: NetworkConfig) -> SeedReport | None:
    known = loader.seeded_with()
    if known is None:
        return None
    if known[0] != config:
        raise SeededDifferently(
            f"The schema holds the network of {known[0].to_json()}.", "Seed with reset to replace it."
        )
    rows = {name: int(count) for name, count in loader.rows(loader.statements.count_rows())}
    return SeedReport(True, config.start_date, config.last_date, rows, {})


def _load(loader: Loader, config: NetworkConfig, folder: Path, report: Progress) -> SeedReport:
    clock = _Clock()
    text = f"Generating {config.n_days} days of {config.n_pudos} PUDOs"
    report(0.05, text)
    made = files.write(config, folder, lambda: report(0.05, text))
    paths = {name: Path(path) for name, path in made.paths.items()}
    clock.lap("start")
    clock.count(made.seconds)
    report(0.4, "Uploading")
    with loader.staged(paths) as stage:
        clock.lap("upload")
        with loader.transaction():
            for index, name in enumerate(paths):
                report(0.5 + 0.09 * index, f"Loading {name}")
                loader.copy(name, stage, made.rows[name])
                clock.lap(f"load {name}")
            loader.run(loader.statements.insert_config(config.fingerprint, config.to_json()))
        clock.lap("commit")
    report(1.0, f"Seeded {config.start_date} to {config.last_date}")
    return SeedReport(False, config.start_date, config.last_date, made.rows, clock.seconds)


class _Clock:
    """Seconds by part, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def count(self, seconds: dict[str, float]) -> None:
        """Parts that were timed elsewhere, taken out of the last one."""
        last = next(reversed(self.seconds))
        self.seconds[last] = round(self.seconds[last] - sum(seconds.values()), 3)
        self.seconds |= seconds

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] = round(now - self._last, 3)
        self._last = now
