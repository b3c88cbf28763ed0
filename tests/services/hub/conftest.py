"""An embedded account as an administrator has prepared it, and what a step does to it."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from services.core.hub import load_declaration
from services.core.settings import read_settings
from services.snowflake.applying import apply, reader
from services.snowflake.connection import ConnectionSource
from services.snowflake.embedded import EmbeddedAccount
from services.snowflake.inventory import Inventory
from services.snowflake.wanted import Wanted

HUB = load_declaration()
BringAbout = Callable[[Sequence[Wanted]], tuple[dict[str, int], list[str]]]


class Quiet:
    """The step of an operation, as far as applying asks of it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(message)

    def progress(self, fraction: float | None, message: str | None = None) -> None:
        assert fraction is not None


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionSource]:
    settings = read_settings({"SPOKEHUB_DATA": str(tmp_path_factory.mktemp("hub"))})
    embedded = EmbeddedAccount.of(settings)
    assert embedded is not None
    embedded.start()
    source = ConnectionSource(settings.account, embedded, HUB)
    yield source
    source.close()
    embedded.stop()


@pytest.fixture
def bring_about(source: ConnectionSource) -> BringAbout:
    """Apply these objects with the hub's role: the counts, and what was said."""

    def act(objects: Sequence[Wanted]) -> tuple[dict[str, int], list[str]]:
        step = Quiet()
        with source.open() as connection:
            counts = apply(step, Inventory(HUB, reader(connection)).compare(objects), connection)
        # The connections at hand began without the warehouse.
        source.renew()
        return counts, step.lines

    return act
