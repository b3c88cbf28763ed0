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
    "CREATE OR REPLACE MACRO memory.main.parse_json(value) AS CAST(value AS JSON)",
)
