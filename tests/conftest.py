"""What holds for every file: when its turn is, and what it may not leave behind."""

import sys
import time
from collections.abc import Iterator

import pytest

# Each of these starts whole programs and waits for them: first, so that none of them is alone at the end.
LONG = (
    "tests/guide/test_tutorials.py",
    "tests/end_to_end/test_example.py",
    "tests/app/test_domains.py",
    "tests/end_to_end/test_verify.py",
    "tests/programs/test_snow.py",
    "tests/end_to_end/test_layout.py",
    "tests/programs/test_dbt.py",
    "tests/spokes/test_pipeline.py",
    "tests/pages/test_browser.py",
    "tests/app/test_second.py",
    "tests/pages/test_pages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Within a file nothing moves."""
    ranks = {name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(LONG)))


@pytest.fixture(scope="module", autouse=True)
def every_snowpark_session_is_closed() -> Iterator[None]:
    """Of a session that is active without a connection, snowflake-ml doubles what it keeps at each call, in any file
    that comes later, until the memory is full.
    """
    yield
    if "snowflake.snowpark.session" in sys.modules:
        from snowflake.snowpark.session import _active_sessions

        # Of a service that runs for several files some may be at work.
        deadline = time.monotonic() + 30
        while _active_sessions and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _active_sessions
