"""What lists and describes: objects, keys, containers; temporary views; staged scripts; INFORMATION_SCHEMA."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector

Run = Any


def refused(run: Run, sql: str) -> tuple[int, str]:
    with pytest.raises(snowflake.connector.errors.ProgrammingError) as caught:
        run(sql)
    return caught.value.errno, caught.value.sqlstate


def test_objects_of_a_schema_are_its_tables_and_views(run: Run, database: str) -> None:
    for text in (
        "create table b (x int) cluster by (x)", "create transient table a as select 1 as x",
        "create view c as select * from a", "create temporary table t (x int)",
        "create temporary view v as select * from t", "create schema other", "create table other.d (x int)",
    ):  # fmt: skip
        run(text)
    shown = run(f"show objects in {database}.s limit 10000")
    # created_on, name, database_name, schema_name, kind, comment, cluster_by, …
    assert [(row[1], row[2], row[3], row[4]) for row in shown] == [
        ("A", database, "S", "TABLE"), ("B", database, "S", "TABLE"), ("C", database, "S", "VIEW"),
        ("T", database, "S", "TABLE"), ("V", database, "S", "VIEW"),
    ]  # fmt: skip
    assert [row[1] for row in run(f"show objects in {database}.s limit 2 from 'A'")] == ["B", "C"]
    assert [row[1:] for row in run(f"show terse objects like 'D' in database {database}")] == [
        ("D", "TABLE", database, "OTHER")
    ]
    assert [row[1] for row in run(f"show objects in {database}.s starts with 'C'")] == ["C"]
    assert [row[1] for row in run(f"describe schema {database}.other")] == ["D"]
    assert {row[1] for row in run(f"desc database {database}")} >= {"S", "OTHER", "PUBLIC"}
    assert [row[1:] for row in run("describe warehouse wh")] == [("WH", "WAREHOUSE")]
    assert refused(run, "describe warehouse nowhere") == (2003, "42S02")
    assert refused(run, f"describe schema {database}.nowhere") == (2003, "42S02")


def test_a_temporary_view_hides_and_ends(run: Run, account_server: Any, database: str) -> None:
    run("create table base as select 1 as x")
    run("create view seen as select x from base")
    run("create temporary table mine as select 2 as x")
    run("create temporary view seen (y) as select x from mine")
    assert run("select y from seen") == [(2,)]
    assert [row[0] for row in run("describe view seen")] == ["Y"]
    with (
        account_server.connect(database=database, schema="S", warehouse="WH") as other,
        other.cursor() as cursor,
    ):
        assert cursor.execute("select * from seen").fetchall() == [(1,)]
    assert refused(run, "create temporary view seen as select 1 as x")[0] == 2002
    assert "already exists" in run("create temporary view if not exists seen as select 1 as x")[0][0]
    run("create or replace temporary view seen as select 3 as x")
    assert run("select x from seen") == [(3,)]
    assert refused(run, "drop table seen")[0] == 2203
    run("drop view if exists seen cascade")
    assert run("select x from seen") == [(1,)]
    run("drop view seen restrict")
    assert refused(run, "select x from seen")[0] == 2003


def test_keys_are_told_and_not_enforced(run: Run, database: str) -> None:
    run("create table parents (id int primary key, code text, constraint only_one unique (code, id))")
    run(
        "create table children (id int autoincrement start 10 increment 2, parent int references parents (id), "
        'constraint "the Key" primary key (id, parent), foreign key (parent) references parents)'
    )
    run("insert into parents values (1, 'a'), (1, 'a')")
    primary = run(f"show primary keys in schema {database}.s")
    assert [(row[3], row[4], row[5]) for row in primary] == [
        ("CHILDREN", "ID", 1), ("CHILDREN", "PARENT", 2), ("PARENTS", "ID", 1),
    ]  # fmt: skip
    assert {row[6] for row in primary if row[3] == "CHILDREN"} == {"the Key"}
    assert [(row[4], row[5], row[6]) for row in run("show unique keys in table parents")] == [
        ("CODE", 1, "ONLY_ONE"), ("ID", 2, "ONLY_ONE"),
    ]  # fmt: skip
    imported = run("show imported keys in table children")
    assert [(row[3], row[4], row[7], row[8]) for row in imported] == [
        ("PARENTS", "ID", "CHILDREN", "PARENT")
    ] * 2
    assert run("show exported keys in table parents") == imported
    assert run("show primary keys in account") == primary
    assert refused(run, "show primary keys in table nowhere")[0] == 2003
    described = {row[0]: (row[5], row[6]) for row in run("describe table parents")}
    assert described == {"ID": ("Y", "Y"), "CODE": ("N", "Y")}
    told = run("select table_name, constraint_type from information_schema.table_constraints order by 1, 2")
    assert told == [
        ("CHILDREN", "FOREIGN KEY"), ("CHILDREN", "FOREIGN KEY"), ("CHILDREN", "PRIMARY KEY"),
        ("PARENTS", "PRIMARY KEY"), ("PARENTS", "UNIQUE"),
    ]  # fmt: skip
    assert len(run("select * from information_schema.referential_constraints")) == 2
    assert run(
        "select column_name, is_identity, identity_start, identity_increment, datetime_precision"
        " from information_schema.columns where table_name = 'CHILDREN' order by ordinal_position"
    ) == [("ID", "YES", "10", "2", None), ("PARENT", "NO", None, None, None)]


def test_a_clustering_key_is_in_the_information_schema(run: Run) -> None:
    run("create table t (x int)")
    assert run("select clustering_key from information_schema.tables where table_name = 'T'") == [(None,)]
    run("alter table t cluster by (x)")
    assert run("select clustering_key from information_schema.tables where table_name = 'T'") == [
        ("LINEAR(x)",)
    ]


@pytest.mark.parametrize("name", ["t", "{database}.s.t", "v"])
def test_a_grant_on_a_table_or_view_needs_no_kind(run: Run, database: str, name: str) -> None:
    run("create table t (x int)")
    run("create view v as select * from t")
    named = name.format(database=database)
    run(f"grant select on {named} to role public")
    kind, full = ("VIEW" if name == "v" else "TABLE"), f"{database}.S.{name[-1].upper()}"
    assert [row[1:4] for row in run(f"show grants on {named}")] == [("SELECT", kind, full)]
    run(f"revoke select on {named} from role public")
    assert run(f"show grants on {named}") == []


@pytest.mark.parametrize(
    ("script", "using", "expected"),
    [
        ("create table made as select 1 as x; insert into made values (2);", "", [(1,), (2,)]),
        ("create table made (x text);\n-- a; b\ninsert into made values ('a;b')", "", [("a;b",)]),
        ("create table made as select {{ n }} as x;", "using (n => 5)", [(5,)]),
        (
            "--!jinja\n{% for i in [1, 2] %}create or replace table made as select {{ i }} as x;{% endfor %}",
            "",
            [(2,)],
        ),
    ],
)
def test_a_staged_file_is_executed(run: Run, tmp_path: Any, script: str, using: str, expected: Any) -> None:
    file = tmp_path / "script.sql"
    file.write_text(script)
    run("create stage files")
    run(f"put file://{file} @files auto_compress=false")
    run(f"execute immediate from @files/script.sql {using}")
    assert run("select x from made order by x") == expected


def test_a_staged_file_that_cannot_be_executed(run: Run, tmp_path: Any) -> None:
    file = tmp_path / "script.sql"
    file.write_text("create table made (x int); select nothing; drop table made;")
    run("create stage files")
    run(f"put file://{file} @files auto_compress=false")
    assert refused(run, "execute immediate from @files/none.sql")[0] == 2003
    assert refused(run, "execute immediate from @files/script.sql")[0] == 904
    assert run("select count(*) from made") == [(0,)]
    assert refused(run, "execute immediate from @files/script.sql dry_run = true") == (2, "0A000")
