"""Who may grant, make and change what."""

from __future__ import annotations

import pytest

from embedded_account.session import Session
from tests.account.security.conftest import Login, refusal, run


def test_future_grants_are_the_schema_owners_with_managed_access_only(admin: Session, login: Login) -> None:
    owner = login("SCHEMA_OWNER", f"CREATE SCHEMA ON DATABASE {admin.database}")
    run(owner, "CREATE SCHEMA PLAIN", "CREATE TABLE T (A INT)")
    run(owner, "CREATE SCHEMA MANAGED WITH MANAGED ACCESS", "CREATE TABLE T (A INT)")
    told = "SQL access control error: Insufficient privileges to operate on schema 'PLAIN'."
    assert refusal(owner, "GRANT SELECT ON FUTURE TABLES IN SCHEMA PLAIN TO ROLE PUBLIC") == (
        3001,
        "42501",
        told,
    )
    for statement in (
        "GRANT SELECT ON ALL TABLES IN SCHEMA PLAIN TO ROLE PUBLIC",
        "GRANT SELECT ON FUTURE TABLES IN SCHEMA MANAGED TO ROLE PUBLIC",
        "GRANT SELECT ON ALL TABLES IN SCHEMA MANAGED TO ROLE PUBLIC",
        "ALTER SCHEMA PLAIN ENABLE MANAGED ACCESS",
        "GRANT SELECT ON FUTURE TABLES IN SCHEMA PLAIN TO ROLE PUBLIC",
    ):
        run(owner, statement)
    shown = run(owner, 'SHOW SCHEMAS ->> SELECT "name", "options" FROM $1 WHERE "owner" = \'SCHEMA_OWNER\'')
    assert shown == [("MANAGED", "MANAGED ACCESS"), ("PLAIN", "MANAGED ACCESS")]


def test_what_others_make_in_a_schema(admin: Session, login: Login) -> None:
    """In a standard schema its maker grants on it, with managed access the schema's owner alone."""
    owner = login("HOUSE", f"CREATE SCHEMA ON DATABASE {admin.database}")
    run(owner, "CREATE SCHEMA PLAIN", "CREATE SCHEMA MANAGED WITH MANAGED ACCESS")
    run(admin, "CREATE ROLE IF NOT EXISTS GUEST")
    run(owner, *(f"GRANT CREATE TABLE ON SCHEMA {schema} TO ROLE GUEST" for schema in ("PLAIN", "MANAGED")))
    guest = login("GUEST")
    run(guest, "CREATE TABLE PLAIN.T (A INT)", "CREATE TABLE MANAGED.T (A INT)")
    run(guest, "GRANT SELECT ON TABLE PLAIN.T TO ROLE PUBLIC")
    assert refusal(guest, "GRANT SELECT ON TABLE MANAGED.T TO ROLE PUBLIC")[:2] == (3001, "42501")
    future = "GRANT SELECT ON FUTURE TABLES IN SCHEMA MANAGED TO ROLE PUBLIC"
    assert refusal(guest, future)[:2] == (3001, "42501")
    run(owner, "GRANT SELECT ON TABLE MANAGED.T TO ROLE PUBLIC")
    assert refusal(owner, "GRANT SELECT ON TABLE PLAIN.T TO ROLE PUBLIC")[:2] == (3001, "42501")
    assert refusal(owner, "GRANT SELECT ON ALL TABLES IN SCHEMA PLAIN TO ROLE PUBLIC")[:2] == (3001, "42501")
    run(admin, "GRANT MANAGE GRANTS ON ACCOUNT TO ROLE HOUSE")
    run(owner, "GRANT SELECT ON ALL TABLES IN SCHEMA PLAIN TO ROLE PUBLIC")
    run(admin, "REVOKE MANAGE GRANTS ON ACCOUNT FROM ROLE HOUSE")


@pytest.mark.parametrize("privilege", ["EXECUTE TASK", "MONITOR EXECUTION", "APPLY TAG", "CREATE DATABASE"])
def test_rights_on_the_account_are_given_on_by_option_only(
    admin: Session, login: Login, privilege: str
) -> None:
    role = "GIVER_" + privilege.replace(" ", "_")
    giver = login(role, f"{privilege} ON ACCOUNT")
    statement = f"GRANT {privilege} ON ACCOUNT TO ROLE PUBLIC"
    told = "SQL access control error: Insufficient privileges to operate on account 'EMBEDDED'."
    assert refusal(giver, statement) == (3001, "42501", told)
    run(admin, f"GRANT {privilege} ON ACCOUNT TO ROLE {role} WITH GRANT OPTION")
    run(giver, statement, f"REVOKE {privilege} ON ACCOUNT FROM ROLE PUBLIC")


@pytest.mark.parametrize(
    ("privilege", "statement"),
    [
        ("CREATE ROLE", "CREATE ROLE NEW_ROLE"),
        ("CREATE USER", "CREATE USER NEW_USER"),
        ("CREATE DATABASE", "CREATE DATABASE NEW_DATABASE"),
        ("CREATE WAREHOUSE", "CREATE WAREHOUSE NEW_WAREHOUSE"),
        ("CREATE COMPUTE POOL", "CREATE COMPUTE POOL NEW_POOL INSTANCE_FAMILY = CPU_X64_XS"),
    ],
)
def test_making_what_belongs_to_the_account(
    admin: Session, login: Login, privilege: str, statement: str
) -> None:
    role = "MAKER_" + privilege.replace(" ", "_")
    maker = login(role)
    number, state, message = refusal(maker, statement)
    assert (number, state) == (3001, "42501")
    assert f"{role} must have {privilege} granted on ACCOUNT" in message
    run(admin, f"GRANT {privilege} ON ACCOUNT TO ROLE {role}")
    run(maker, statement, statement.replace("CREATE", "DROP").partition(" INSTANCE")[0])


@pytest.mark.parametrize(
    "statement", ["TABLE N (A INT)", "VIEW N AS SELECT 1 AS A", "TAG N", "STAGE N", "DATASET N"]
)
def test_making_what_belongs_to_a_schema(admin: Session, login: Login, statement: str) -> None:
    kind = statement.partition(" ")[0]
    maker = login(f"MAKES_{kind}")
    assert refusal(maker, f"CREATE {statement}")[:2] == (3001, "42501")
    if kind in ("TABLE", "STAGE"):
        run(maker, f"CREATE TEMPORARY {statement}", f"DROP {kind} N")
    run(admin, f"GRANT CREATE {kind} ON SCHEMA S TO ROLE MAKES_{kind}")
    run(maker, f"CREATE {statement}")


@pytest.mark.parametrize(
    ("privileges", "allowed"),
    [
        ((), set()),
        (("SELECT",), set()),
        (("INSERT",), {"INSERT", "COPY"}),
        (("UPDATE",), {"UPDATE"}),
        (("DELETE",), {"DELETE"}),
        (("TRUNCATE",), {"TRUNCATE"}),
        (("INSERT", "UPDATE"), {"INSERT", "COPY", "UPDATE", "MERGE"}),
        (("INSERT", "DELETE"), {"INSERT", "COPY", "DELETE", "OVERWRITE"}),
        (("ALL",), {"INSERT", "COPY", "UPDATE", "DELETE", "TRUNCATE", "MERGE", "OVERWRITE"}),
    ],
)
def test_changing_rows_of_another_roles_table(
    admin: Session, login: Login, privileges: tuple[str, ...], allowed: set[str]
) -> None:
    run(admin, "CREATE TABLE T (A INT)", "CREATE STAGE ST")
    writer = login("WRITER")
    if privileges:
        run(admin, f"GRANT {', '.join(privileges)} ON TABLE T TO ROLE WRITER")
    statements = {
        "INSERT": "INSERT INTO T VALUES (1)",
        "COPY": "COPY INTO T FROM @ST FILE_FORMAT = (TYPE = CSV)",
        "UPDATE": "UPDATE T SET A = 1",
        "DELETE": "DELETE FROM T",
        "TRUNCATE": "TRUNCATE TABLE T",
        "OVERWRITE": "INSERT OVERWRITE INTO T SELECT 1",
        "MERGE": "MERGE INTO T USING (SELECT 1 AS B) ON A = B WHEN MATCHED THEN UPDATE SET A = 2 "
        "WHEN NOT MATCHED THEN INSERT (A) VALUES (B)",
    }
    for name, statement in statements.items():
        if name in allowed:
            run(writer, statement)
        else:
            told = "SQL access control error: Insufficient privileges to operate on table 'T'."
            assert refusal(writer, statement) == (3001, "42501", told)


def test_grants_end_with_the_object_and_future_ones_begin_with_it(admin: Session, login: Login) -> None:
    writer = login("LATER")
    run(admin, "CREATE TABLE T (A INT)", "GRANT INSERT ON TABLE T TO ROLE LATER")
    run(writer, "INSERT INTO T VALUES (1)")
    run(admin, "CREATE OR REPLACE TABLE T (A INT)")
    assert refusal(writer, "INSERT INTO T VALUES (1)")[0] == 3001
    run(admin, "GRANT INSERT ON FUTURE TABLES IN SCHEMA S TO ROLE LATER")
    assert refusal(writer, "INSERT INTO T VALUES (1)")[0] == 3001
    run(admin, "CREATE OR REPLACE TABLE T (A INT)")
    run(writer, "INSERT INTO T VALUES (1)")


def test_setting_a_tag_takes_the_tag_and_the_object(admin: Session, login: Login) -> None:
    run(admin, "CREATE TAG G", "CREATE TABLE T (A INT)")
    tagger = login("TAGGER", f"CREATE TABLE ON SCHEMA {admin.database}.S")
    run(tagger, "CREATE TABLE OWN (A INT)")
    on_tag = "SQL access control error: Insufficient privileges to operate on tag 'G'."
    assert refusal(tagger, "ALTER TABLE OWN SET TAG G = 'x'") == (3001, "42501", on_tag)
    run(admin, "GRANT APPLY ON TAG G TO ROLE TAGGER")
    run(tagger, "ALTER TABLE OWN SET TAG G = 'x'")
    on_table = "SQL access control error: Insufficient privileges to operate on table 'T'."
    assert refusal(tagger, "ALTER TABLE T SET TAG G = 'x'") == (3001, "42501", on_table)
    run(admin, "GRANT APPLY TAG ON ACCOUNT TO ROLE TAGGER")
    run(tagger, "ALTER TABLE T SET TAG G = 'x'")
    assert refusal(admin, "GRANT APPLY ON FUTURE TAGS IN SCHEMA S TO ROLE TAGGER")[1] == "0A000"


def test_ownership_changes_hands(admin: Session, login: Login) -> None:
    run(admin, "CREATE TABLE T (A INT)", "GRANT SELECT ON TABLE T TO ROLE PUBLIC")
    heir = login("HEIR")
    assert refusal(admin, "GRANT OWNERSHIP ON TABLE T TO ROLE HEIR")[2].startswith(
        "SQL execution error: Dependent"
    )
    assert refusal(heir, "GRANT OWNERSHIP ON TABLE T TO ROLE HEIR COPY CURRENT GRANTS")[0] == 3001
    run(admin, "GRANT OWNERSHIP ON TABLE T TO ROLE HEIR COPY CURRENT GRANTS")
    run(heir, "INSERT INTO T VALUES (1)")
    assert run(admin, 'SHOW TABLES ->> SELECT "owner" FROM $1') == [("HEIR",)]
    assert len(run(admin, "SHOW GRANTS ON TABLE T")) == 1
    run(admin, "GRANT OWNERSHIP ON TABLE T TO ROLE SYSADMIN REVOKE CURRENT GRANTS")
    assert run(admin, "SHOW GRANTS ON TABLE T") == []


def test_a_reader_of_models(admin: Session) -> None:
    run(admin, "CREATE ROLE IF NOT EXISTS MODEL_READER")
    run(admin, "GRANT USAGE, READ ON FUTURE MODELS IN SCHEMA S TO ROLE MODEL_READER")
    rows = run(admin, 'SHOW FUTURE GRANTS IN SCHEMA S ->> SELECT "privilege" FROM $1 ORDER BY 1')
    assert rows == [("READ",), ("USAGE",)]


@pytest.mark.parametrize(
    ("privilege", "on"),
    [
        ("SELECT", "S.NOPE"),
        ("SELECT", "TABLE S.NOPE"),
        ("SELECT", "VIEW S.NOPE"),
        ("MONITOR", "DYNAMIC TABLE S.NOPE"),
        ("READ", "STAGE S.NOPE"),
        ("USAGE", "FILE FORMAT S.NOPE"),
        ("APPLY", "TAG S.NOPE"),
        ("USAGE", "MODEL S.NOPE"),
        ("USAGE", "DATASET S.NOPE"),
        ("OPERATE", "TASK S.NOPE"),
        ("USAGE", "FUNCTION S.NOPE(INT)"),
        ("USAGE", "PROCEDURE S.NOPE()"),
        ("USAGE", "SCHEMA NOPE"),
        ("USAGE", "DATABASE NOPE"),
        ("USAGE", "WAREHOUSE NOPE"),
        ("SELECT", "ALL TABLES IN SCHEMA NOPE"),
        ("SELECT", "FUTURE TABLES IN SCHEMA NOPE"),
        ("SELECT", "FUTURE TABLES IN DATABASE NOPE"),
    ],
)
def test_nothing_is_granted_on_what_is_not_there(admin: Session, privilege: str, on: str) -> None:
    before = run(admin, "SHOW GRANTS TO ROLE PUBLIC")
    assert refusal(admin, f"GRANT {privilege} ON {on} TO ROLE PUBLIC")[:2] == (2003, "42S02")
    assert refusal(admin, f"REVOKE {privilege} ON {on} FROM ROLE PUBLIC")[:2] == (2003, "42S02")
    assert run(admin, "SHOW GRANTS TO ROLE PUBLIC") == before


@pytest.mark.parametrize("privileges", ["NONSENSE", "SELECT, NONSENSE", "", "SELECT,, INSERT"])
def test_what_is_no_privilege_is_not_granted(admin: Session, privileges: str) -> None:
    before = run(admin, "SHOW GRANTS TO ROLE PUBLIC")
    assert refusal(admin, f"GRANT {privileges} ON ACCOUNT TO ROLE PUBLIC")[:2] == (1003, "42000")
    assert run(admin, "SHOW GRANTS TO ROLE PUBLIC") == before
