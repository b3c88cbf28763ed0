"""The SQL of a container service, read by the embedded account as far as it knows the statements."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from embedded_account import loaded
from embedded_account.account import Account
from embedded_account.errors import SnowflakeError
from embedded_account.parse.batch import split
from embedded_account.session import Session
from embedded_account.statements import execute
from services.core.hub import load_declaration

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "deploy").glob("*.sql"))
# What the embedded account has no services for.
ELSEWHERE = re.compile(
    r"(CREATE|SHOW) IMAGE|CREATE SECRET|CREATE OR REPLACE (NETWORK RULE|EXTERNAL ACCESS)|DROP INTEGRATION|"
    r"(CREATE|ALTER|DROP) SERVICE|SHOW (SERVICE|ENDPOINTS)|SELECT SYSTEM\$GET_SERVICE_LOGS|(CREATE|DROP) SNAPSHOT"
)
# Grants on what does not exist there.
GRANTS_ELSEWHERE = re.compile(r"GRANT (SERVICE ROLE|USAGE ON INTEGRATION|BIND SERVICE ENDPOINT)")
PAGE = re.compile(
    r"-- https://docs\.snowflake\.com/en/(sql-reference|developer-guide|user-guide|release-notes)/\S+"
)


def statements(path: Path) -> list[str]:
    return [part.strip() for part in split(path.read_text().replace("<ROLE_OF_ITS_USERS>", "PAGES"))]


def words(statement: str) -> str:
    """The statement in one line, without comments."""
    return " ".join(re.sub(r"^\s*--.*$", "", statement, flags=re.MULTILINE).split())


SQL = [words(one) for path in FILES for one in statements(path)]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    assert loaded.objects
    account = Account(tmp_path_factory.mktemp("account") / "account")
    session = Session(account)
    for text in (
        "CREATE ROLE SPOKEHUB_ADMIN",
        "CREATE ROLE PAGES",
        "GRANT ROLE SPOKEHUB_ADMIN TO ROLE SYSADMIN",
        "GRANT CREATE DATABASE, CREATE WAREHOUSE ON ACCOUNT TO ROLE SPOKEHUB_ADMIN",
    ):
        execute(session, text)
    yield session
    session.close()
    account.close()


def answer(session: Session, text: str) -> str:
    """What kind of answer the account gives."""
    try:
        execute(session, text)
    except SnowflakeError as error:
        return "refused by name" if error.message.startswith("Unsupported feature") else error.message
    return "done"


def test_the_files_run_in_order(session: Session) -> None:
    """Each statement is executed, or is refused by name where the account has no such thing."""
    # A client transfers files; and what is granted elsewhere is another's to judge.
    answers = {text: answer(session, text) for text in SQL if not text.startswith("PUT")}
    assert {text: told for text, told in answers.items() if not GRANTS_ELSEWHERE.match(text)} == {
        text: "refused by name" if ELSEWHERE.match(text) else "done"
        for text in answers
        if not GRANTS_ELSEWHERE.match(text)
    }


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_each_statement_names_its_page(path: Path) -> None:
    for text in statements(path):
        if not words(text).startswith(
            ("USE ROLE", "GRANT USAGE", "GRANT SERVICE ROLE", "SHOW SERVICE CONTAINERS")
        ):
            assert PAGE.search(text), text


def test_the_hub_and_the_administrator_own_no_service() -> None:
    hub = load_declaration()
    for path in FILES:
        role = ""
        for text in map(words, statements(path)):
            role = text.removeprefix("USE ROLE ") if text.startswith("USE ROLE") else role
            if re.match(r"(CREATE|ALTER|DROP) (SERVICE|COMPUTE POOL|DATABASE|IMAGE|WAREHOUSE)", text):
                expected = "ACCOUNTADMIN" if text.startswith("DROP DATABASE") else hub.role
                assert (text, role) == (text, expected)
            made = re.match(r"CREATE (DATABASE|COMPUTE POOL) IF NOT EXISTS (\w+)", text)
            assert made is None or made[2] not in (*hub.databases, hub.compute_pool and hub.compute_pool.name)


def test_the_warehouse_is_the_one_that_the_hub_declares() -> None:
    (text,) = [text for text in SQL if text.startswith("CREATE WAREHOUSE")]
    declared = load_declaration().warehouse
    assert f"NOT EXISTS {declared.name} WAREHOUSE_SIZE = {declared.size}" in text
    assert f"AUTO_SUSPEND = {declared.auto_suspend_seconds} " in text
    (service,) = [text for text in SQL if text.startswith("CREATE SERVICE")]
    assert f"QUERY_WAREHOUSE = {declared.name} " in service


def test_the_parameters_of_a_service_come_in_the_documented_order() -> None:
    order = ("IN COMPUTE POOL", "FROM @", "SPECIFICATION_FILE", "EXTERNAL_ACCESS_INTEGRATIONS",
             "MIN_INSTANCES = 1", "MAX_INSTANCES = 1", "QUERY_WAREHOUSE", "COMMENT")  # fmt: skip
    (service,) = [text for text in SQL if text.startswith("CREATE SERVICE")]
    places = [service.index(word) for word in order]
    assert places == sorted(places)


def test_the_specification_names_what_the_statements_make() -> None:
    document = yaml.safe_load((ROOT / "deploy" / "service.yaml").read_text())
    (container,) = document["spec"]["containers"]
    database, schema, repository = container["image"].upper().split("/")[1:4]
    made = " ".join(SQL)
    assert f"CREATE IMAGE REPOSITORY IF NOT EXISTS {database}.{schema}.{repository}" in made
    (secret,) = container["secrets"]
    assert f"CREATE SECRET IF NOT EXISTS {secret['snowflakeSecret']['objectName']}" in made
    (role,) = document["serviceRoles"]
    assert f"GRANT SERVICE ROLE {database}.{schema}.SPOKEHUB!{role['name'].upper()} " in made
    (volume,) = document["spec"]["volumes"]
    assert f'VOLUME "{volume["name"]}"' in made
