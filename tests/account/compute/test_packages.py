"""Where packages come from, and which are refused when the code is defined."""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

PYPI = "snowflake.snowpark.pypi_shared_repository"


def define(packages: str, *, repository: str = "", kind: str = "PROCEDURE") -> str:
    arguments = "session" if kind == "PROCEDURE" else ""
    clause = f"ARTIFACT_REPOSITORY = {repository}" if repository else ""
    return (
        f"CREATE OR REPLACE {kind} P() RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11' {clause}"
        f" PACKAGES = ({packages}) HANDLER = 'f' AS $$def f({arguments}):\n    import yaml\n    return 'made'$$"
    )


@pytest.mark.parametrize("repository", ["", PYPI, "SNOWFLAKE.SNOWPARK.ANACONDA_SHARED_REPOSITORY"])
def test_a_repository_is_kept_and_its_packages_are_there(run: Any, repository: str) -> None:
    run(define("'snowflake-snowpark-python', 'pyyaml'", repository=repository))
    assert run("CALL P()") == [("made",)]
    described = dict(run("DESCRIBE PROCEDURE P()"))
    assert described["artifact_repository"] == (repository.upper() or None)
    assert described["packages"] == "['snowflake-snowpark-python','pyyaml']"


@pytest.mark.parametrize(
    "repository",
    ["snowflake.snowpark.no_such_repository", "pypi_shared_repository", '"snowflake".snowpark.x'],
)
@pytest.mark.parametrize("kind", ["PROCEDURE", "FUNCTION"])
def test_an_unknown_repository_is_refused(run: Any, repository: str, kind: str) -> None:
    with pytest.raises(ProgrammingError, match=r"does not exist or not authorized") as refused:
        run(define("'pyyaml'", repository=repository, kind=kind))
    assert refused.value.errno == 2003
    assert run(f"SHOW {kind}S LIKE 'P' IN SCHEMA S") == []


@pytest.mark.parametrize("kind", ["PROCEDURE", "FUNCTION"])
@pytest.mark.parametrize(
    ("package", "told"),
    [
        ("pyyaml==1.0", "installed version is 6"),
        ("no-such-package", "'no-such-package' is not available"),
        ("py yaml", "Package specification 'py yaml' is invalid"),
    ],
)
def test_what_cannot_be_installed_is_refused_when_it_is_defined(
    run: Any, kind: str, package: str, told: str
) -> None:
    with pytest.raises(
        ProgrammingError, match="Cannot create a Python function with the specified packages"
    ) as refused:
        run(define(f"'{package}'", repository=PYPI, kind=kind))
    assert (refused.value.errno, refused.value.sqlstate) == (100357, "P0000")
    assert told in str(refused.value)
    assert run(f"SHOW {kind}S LIKE 'P' IN SCHEMA S") == []


def test_the_repositories_are_shown(run: Any) -> None:
    names = [("PYPI_SHARED_REPOSITORY",), ("ANACONDA_SHARED_REPOSITORY",)]
    assert run('SHOW ARTIFACT REPOSITORIES IN ACCOUNT ->> SELECT "name" FROM $1') == names
    assert dict(run(f"DESCRIBE ARTIFACT REPOSITORY {PYPI}"))["type"] == "PYPI"
    with pytest.raises(ProgrammingError, match="does not exist"):
        run("DESC ARTIFACT REPOSITORY snowflake.snowpark.other")


def test_what_snowpark_asks_before_it_lists_packages(run: Any) -> None:
    asked = "SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY(), SYSTEM$ARE_ANACONDA_TERMS_ACKNOWLEDGED()"
    assert run(f"SELECT {asked}") == [(None, True)]
