"""DuckDB macros for Snowflake functions that have no expression of the same meaning in DuckDB.

They live in the in-memory main schema, which every session searches, so that views in any file find them.
"""

from __future__ import annotations

from fakesnow import macros as fakesnow_macros

MACROS: tuple[str, ...] = (
    fakesnow_macros.creation_sql("memory.main"),
    "CREATE OR REPLACE MACRO memory.main.to_char(value) AS CAST(value AS VARCHAR)",
    "CREATE OR REPLACE MACRO memory.main.iff(condition, a, b) AS CASE WHEN condition THEN a ELSE b END",
    "CREATE OR REPLACE MACRO memory.main.zeroifnull(value) AS coalesce(value, 0)",
    "CREATE OR REPLACE MACRO memory.main.nullifzero(value) AS nullif(value, 0)",
    "CREATE OR REPLACE MACRO memory.main.div0(a, b) AS CASE WHEN b = 0 THEN 0 ELSE a / b END",
    "CREATE OR REPLACE MACRO memory.main.div0null(a, b) AS "
    "CASE WHEN b = 0 OR b IS NULL THEN 0 ELSE a / b END",
    "CREATE OR REPLACE MACRO memory.main.square(x) AS (x * x)",
    "CREATE OR REPLACE MACRO memory.main.dayofweekiso(d) AS isodow(d)",
    "CREATE OR REPLACE MACRO memory.main.uuid_string() AS CAST(gen_random_uuid() AS VARCHAR)",
    # Integers in text are seconds, milli-, micro- or nanoseconds by their size:
    # https://docs.snowflake.com/en/sql-reference/date-time-input-output (auto-detection of integer-stored values)
    "CREATE OR REPLACE MACRO memory.main._text_to_timestamp(text) AS CASE "
    "WHEN NOT regexp_full_match(text, '-?[0-9]+') THEN CAST(text AS TIMESTAMP) "
    "WHEN abs(CAST(text AS BIGINT)) < 31536000000 THEN make_timestamp(CAST(text AS BIGINT) * 1000000) "
    "WHEN abs(CAST(text AS BIGINT)) < 31536000000000 THEN make_timestamp(CAST(text AS BIGINT) * 1000) "
    "WHEN abs(CAST(text AS BIGINT)) < 31536000000000000 THEN make_timestamp(CAST(text AS BIGINT)) "
    "ELSE make_timestamp(CAST(text AS BIGINT) // 1000) END",
    # DuckDB takes these words, even quoted, for calls of functions about itself where no column has the name.
    *(
        f'CREATE OR REPLACE MACRO memory.main."{word}"() AS error(\'column "{word.upper()}" not found\')'
        for word in (
            "current_catalog",
            "current_role",
            "current_schema",
            "current_user",
            "session_user",
            "user",
        )
    ),
    "CREATE OR REPLACE MACRO memory.main.parse_json(value) AS CAST(value AS JSON)",
)
