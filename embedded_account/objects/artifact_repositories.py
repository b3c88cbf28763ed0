"""Where the packages of Python code come from: the two repositories that every account has.

https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-packages
https://docs.snowflake.com/en/sql-reference/sql/create-artifact-repository
Both offer here what this account's interpreter has installed, under the names of either.
"""

from __future__ import annotations

from collections.abc import Iterable

from embedded_account.compute import packages
from embedded_account.compute.handler import RefusedError
from embedded_account.errors import SnowflakeError, does_not_exist
from embedded_account.functions import scalar_function
from embedded_account.parse.cursor import Cursor
from embedded_account.result import Result, rows_result
from embedded_account.session import Session
from embedded_account.statements import Statement, statement

_PLACE = ("SNOWFLAKE", "SNOWPARK")
_COMMENTS = {
    "PYPI_SHARED_REPOSITORY": "Packages of the Python Package Index",
    "ANACONDA_SHARED_REPOSITORY": "Packages of the Snowflake channel of Anaconda",
}
_KIND = "Artifact repository"


def named(text: str) -> str:
    """The full name of the repository that a definition names.

    Raises:
        SnowflakeError: 002003 when there is none of this name.
    """
    cursor = Cursor(text)
    parts = cursor.name()
    cursor.end()
    if len(parts) != 3 or tuple(parts[:2]) != _PLACE or parts[2] not in _COMMENTS:
        raise does_not_exist(_KIND, text)
    return ".".join(parts)


def require(specifications: Iterable[str]) -> None:
    """Refuse what cannot be installed, when the code is defined, as Snowflake does.

    Raises:
        SnowflakeError: 100357 that names the package and the version there is.
    """
    try:
        packages.require(specifications)
    except RefusedError as error:
        raise SnowflakeError(
            "Cannot create a Python function with the specified packages. Please check your packages "
            f"specification and try again. {error}",
            100357,
            "P0000",
        ) from error


@scalar_function("SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY")
def default_repository(session: Session, _: list[object]) -> object:
    """NULL stands for the Anaconda channel, which accounts made before June 2026 have."""
    return None


@scalar_function("SYSTEM$ARE_ANACONDA_TERMS_ACKNOWLEDGED")
def terms_acknowledged(session: Session, _: list[object]) -> object:
    return True


_SHOWN = [
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
    ("type", "text"),
    ("api_integration", "text"),
    ("owner", "text"),
    ("comment", "text"),
]


@statement("SHOW", "ARTIFACT", "REPOSITORIES")
def show_repositories(session: Session, current: Statement) -> Result:
    if current.cursor.accept("IN"):
        current.cursor.accept_any("SCHEMA", "DATABASE")
        current.cursor.accept("ACCOUNT") or current.cursor.name()
    current.cursor.end()
    rows = [(None, name, *_PLACE, "PYPI", None, "", comment) for name, comment in _COMMENTS.items()]
    return rows_result(_SHOWN, rows)


@statement("DESC", "ARTIFACT", "REPOSITORY")
@statement("DESCRIBE", "ARTIFACT", "REPOSITORY")
def describe_repository(session: Session, current: Statement) -> Result:
    name = named(current.cursor.rest()).rpartition(".")[2]
    rows = [("name", name), ("type", "PYPI"), ("comment", _COMMENTS[name])]
    return rows_result([("property", "text"), ("value", "text")], rows)
