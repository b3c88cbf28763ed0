"""The order of the files: those that take minutes come first, so that none of them is alone at the end."""

import pytest

# Each of these starts whole programs and waits for them.
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
