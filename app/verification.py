"""Puts together what a verification needs: an application of its own, without the web, over a scratch catalogue."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from app.composition import compose
from services.core.hub import load_declaration
from services.core.settings import Settings, StorageSettings
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.verify import service as verify

ANNOUNCEMENT = f"""\
This makes a database {verify.PREFIX}…, roles whose names begin with the same, and, if it is not there, the
hub's warehouse (X-Small); sets the example up in it, small; asks what the documentation does not decide; and
removes all of it. It takes 15 to 40 minutes and at most about 0.7 credits of the warehouse, and installs the
example's packages there."""


def log_in(settings: Settings) -> None:
    """Log in and out, which costs nothing: an account out of reach is told of before anything is asked."""
    with ConnectionSource(settings.account, None, None).open():
        pass


@contextmanager
def verification(settings: Settings, tell: Callable[[str], None]) -> Iterator[verify.Verification]:
    """A verification that can be run; with the embedded account it has one of its own."""
    with TemporaryDirectory(prefix="spokehub-verify-") as folder:
        data = Path(folder)
        settings = replace(
            settings,
            storage=StorageSettings(
                data, f"sqlite:///{data / 'spokehub.sqlite'}", f"sqlite:///{data / 'operations.sqlite'}"
            ),
        )
        declared = load_declaration().apart(verify.new_name())
        runtime = compose(settings, declared=declared)
        runtime.start()
        try:
            scopes = runtime.domains.spokes.deployment_target
            yield verify.Verification(declared, runtime.source, runtime.operations, scopes, tell=tell)
        finally:
            runtime.stop()


def remove_leftovers(settings: Settings) -> list[str]:
    """Drop what killed or kept verifications left in the account; what was done, a line each."""
    embedded = EmbeddedAccount.of(settings)
    source = ConnectionSource(settings.account, embedded, load_declaration())
    if embedded is not None:
        embedded.start()
    try:
        lines: list[str] = []
        for name in verify.leftovers(source):
            lines += verify.remove(source, name) or [f"Removed {name} and its roles."]
        return lines or ["Nothing is left of earlier verifications."]
    finally:
        source.close()
        if embedded is not None:
            embedded.stop()
