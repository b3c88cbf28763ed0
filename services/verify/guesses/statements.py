"""Warehouses, errors and the shape of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.verify.place import Place
from services.verify.types import Guess, Said, decided, held, refuted

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

NO_WAREHOUSE = 606


def select_constant(place: Place) -> Said:
    with place.without_warehouse() as connection:
        active = place.value("SELECT CURRENT_WAREHOUSE()", connection)
        refusal = place.refusal("SELECT 1", connection)
    return decided(refusal is None, f"{refusal or 'answered'}; active warehouse: {active}")


def table_without_warehouse(place: Place) -> Said:
    table = place.name("NEEDS_WAREHOUSE")
    place.rows(f"CREATE OR REPLACE TABLE {table} (A NUMBER)")
    with place.without_warehouse() as connection:
        return _refused_for_want(place, f"INSERT INTO {table} VALUES (1)", connection)


def history_without_warehouse(place: Place) -> Said:
    text = (
        "SELECT COUNT(*) FROM TABLE("
        f"{place.scope.schema.schema}.INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10))"
    )
    with place.without_warehouse() as connection:
        return _refused_for_want(place, text, connection)


def tags_without_warehouse(place: Place) -> Said:
    database, schema = place.schema.schema, place.schema
    text = f"SELECT COUNT(*) FROM TABLE({database}.INFORMATION_SCHEMA.TAG_REFERENCES('{schema}', 'SCHEMA'))"
    with place.without_warehouse() as connection:
        return _refused_for_want(place, text, connection)


def show_without_warehouse(place: Place) -> Said:
    with place.without_warehouse() as connection:
        refusals = [
            (text, place.refusal(text, connection))
            for text in (
                f"SHOW TABLES IN SCHEMA {place.schema}",
                f"SHOW TASKS IN SCHEMA {place.schema}",
                f"SHOW GRANTS ON SCHEMA {place.schema}",
            )
        ]
    failed = [f"{text}: {refusal}" for text, refusal in refusals if refusal is not None]
    return refuted("; ".join(failed)) if failed else held("all were answered")


def _refused_for_want(place: Place, text: str, connection: SnowflakeConnection) -> Said:
    refusal = place.refusal(text, connection)
    return decided(
        refusal is not None and refusal.errno == NO_WAREHOUSE, str(refusal or "answered without a warehouse")
    )


def missing_object(place: Place) -> Said:
    refusal = place.refusal(f"SELECT * FROM {place.name('NOT_THERE')}")
    return decided(
        refusal is not None and (refusal.errno, refusal.sqlstate) == (2003, "42S02"),
        str(refusal or "answered"),
    )


def two_statements(place: Place) -> Said:
    refusal = place.refusal("SELECT 1; SELECT 2")
    return decided(
        refusal is not None and (refusal.errno, refusal.sqlstate) == (8, "0A000"), str(refusal or "answered")
    )


def unnamed_column(place: Place) -> Said:
    row = place.rows("select 1 + 1, upper('a')")[0]
    return decided(list(row) == ["1 + 1", "UPPER('A')"], f"the columns are called {list(row)}")


GUESSES = (
    Guess(
        "statements.constant", "A session without a warehouse answers SELECT of constants.", select_constant
    ),
    Guess(
        "statements.show",
        "SHOW needs no warehouse.",
        show_without_warehouse,
    ),
    Guess(
        "statements.dml",
        "INSERT of constants needs a warehouse.",
        table_without_warehouse,
    ),
    Guess(
        "statements.history",
        "INFORMATION_SCHEMA's table functions, TASK_HISTORY among them, need a warehouse.",
        history_without_warehouse,
    ),
    Guess("statements.tags", "TAG_REFERENCES needs a warehouse.", tags_without_warehouse),
    Guess("statements.missing", "A table that is not there is 002003, SQLSTATE 42S02.", missing_object),
    Guess(
        "statements.several",
        "Several statements in a request that announced one are 000008, SQLSTATE 0A000; none runs.",
        two_statements,
    ),
    Guess("statements.unnamed", "An unnamed column is called by its text, upper-cased.", unnamed_column),
)
