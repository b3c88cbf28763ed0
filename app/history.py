"""The commands ``spokehub history``: fill a history with synthetic runs, and say what is in one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.core.clock import utc_now
from services.core.hub import load_declaration
from services.core.settings import Settings

history = typer.Typer(no_args_is_help=True, help="The history of runs that pages read.")

Data = Annotated[Path | None, typer.Option(help="The data directory.", file_okay=False)]


@history.command()
def generate(
    runs: Annotated[str, typer.Option(help="Task runs, about; 10_000_000 is read, too.")] = "1_000_000",
    spokes: Annotated[int, typer.Option(help="Spokes, each in all environments.")] = 50,
    days: Annotated[int, typer.Option(help="Up to today.")] = 365,
    seed: Annotated[int, typer.Option(help="The same seed makes the same history.")] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of one with runs.")] = False,
    data: Data = None,
) -> None:
    """Fill the history with a synthetic network's runs, and enter its spokes in the catalogue."""
    from services.core.errors import Invalid
    from services.costs.rolling import reckon_all
    from services.history.synthetic import Wanted, generate
    from services.spokes.synthetic import enter

    if not runs.replace("_", "").isdecimal():
        raise Invalid(f"--runs is {runs!r}", hint="Use a number like 1_000_000.")
    settings = _settings(data)
    wanted = Wanted(int(runs), spokes, days, utc_now(), seed)
    with _alone(settings):
        made = generate(settings.storage.history, wanted, replace=replace, told=typer.echo)
        reckoned = reckon_all(settings.storage.history, wanted.until.date())
        typer.echo(f"Costs of {reckoned} days.")
        entered = enter(settings.storage.database_url, load_declaration(), made.spokes)
    typer.echo(f"{len(made.spokes)} spokes, {entered} of them new in the catalogue.")
    _tell(settings)


@history.command()
def status(data: Data = None) -> None:
    """Say what the history holds."""
    settings = _settings(data)
    with _alone(settings):
        _tell(settings)


def _tell(settings: Settings) -> None:
    from services.history.synthetic import summary

    for line in summary(settings.storage.history):
        typer.echo(line)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One process has the file."""
    from services.snowflake.embedded import claim_folder

    folder = settings.storage.data
    claim = claim_folder(folder / "spokehub.lock", f"Spokehub's data in {folder}", "spokehub history")
    try:
        yield
    finally:
        claim.release()


def _settings(data: Path | None) -> Settings:
    import os

    from services.core.settings import read_settings

    return read_settings(dict(os.environ) | ({"SPOKEHUB_DATA": str(data)} if data is not None else {}))
