"""The shapes of statements that snowflake-ml and Snowpark send, in the order in which they send them.

Which of them come is a captured fact of the pinned client versions; each must be answered with the columns that the
client reads, or be refused by name.
"""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

META = '{"entities": ["E"], "timestamp_col": "DATE", "is_tiled": false}'
TAGS = (
    'TAG (\n S.SNOWML_FEATURE_STORE_OBJECT = \'{"type": "X", "pkg_version": "2.6.0"}\',\n'
    f"S.SNOWML_FEATURE_VIEW_METADATA = '{META}',\nS.SNOWML_FEATURE_STORE_ENTITY_E = 'ID'\n)"
)
ROWS = (
    'SELECT $1 AS "ID", $2 AS "D", $3 AS "LABEL" FROM  VALUES (1 :: INT, \'2024-01-10\' :: STRING, \'1.0\' :: FLOAT), '
    "(2 :: INT, '2024-01-15' :: STRING, '0.0' :: FLOAT)"
)
SPINE = f'(SELECT "ID", to_date("D") AS "TS", "LABEL" FROM ( {ROWS}))'
ASOF = (
    "SELECT\n l_0.*,\n\n r_0.* EXCLUDE (ID, DATE)\n FROM "
    + SPINE
    + " l_0\n ASOF JOIN (\n SELECT ID, DATE,\n A\n FROM S.FV_D$V1\n ) r_0\n"
    "MATCH_CONDITION (l_0.TS >= r_0.DATE)\n ON l_0.ID = r_0.ID"
)

# (statement, names of columns that the client reads, number of rows or None)
STATEMENTS: list[tuple[str, set[str], int | None]] = [
    ("CREATE OR REPLACE TABLE FILL (ID INT, DATE DATE, R FLOAT)", {"status"}, 1),
    ("INSERT INTO FILL VALUES (1,'2024-01-02',0.14),(1,'2024-01-03',0.16),(2,'2024-01-15',0.2)", set(), 1),
    ("SHOW WAREHOUSES LIKE 'WH'", {"name", "state", "size"}, 1),
    ("SHOW DATABASES LIKE '{db}' STARTS WITH '{db}'", {"name"}, 1),
    ("SHOW SCHEMAS LIKE 'S' IN DATABASE {db}", {"name", "database_name"}, 1),
    ("CREATE TAG IF NOT EXISTS S.SNOWML_FEATURE_VIEW_METADATA", {"status"}, 1),
    ("CREATE TAG IF NOT EXISTS S.SNOWML_FEATURE_STORE_OBJECT", {"status"}, 1),
    (
        "CREATE TAG IF NOT EXISTS S.SNOWML_FEATURE_STORE_ENTITY_E\n ALLOWED_VALUES 'ID'\n COMMENT = 'an ''e'''",
        {"status"},
        1,
    ),
    ("SHOW TAGS LIKE 'SNOWML_FEATURE_STORE_ENTITY_%' IN SCHEMA S", {"name", "allowed_values", "comment", "owner"}, 1),
    ("SELECT ENTITY_DETAIL('TAG','{db}.S.SNOWML_FEATURE_STORE_OBJECT', '[\"TAG_REFERENCES_INTERNAL\"]');", set(), 1),
    ("SELECT CURRENT_WAREHOUSE()", set(), 1),
    ("SHOW DYNAMIC TABLES LIKE 'FV_V$V1' IN {db}.S", {"name", "text", "scheduling_state", "target_lag"}, 0),
    ("SHOW VIEWS LIKE 'FV_V$V1' IN {db}.S", {"name", "text", "comment", "owner"}, 0),
    ("SHOW ONLINE FEATURE TABLES LIKE 'FV_V$V1$ONLINE' IN {db}.S", {"name"}, 0),
    (
        f"CREATE VIEW S.FV_V$V1 (ID , DATE , A COMMENT 'avg', B COMMENT '')\n COMMENT = 'v'\n {TAGS}\n AS "
        'SELECT "ID", "DATE", avg("R") OVER (PARTITION BY "ID"  ORDER BY "DATE" ASC NULLS FIRST  ROWS BETWEEN '
        '6 PRECEDING  AND CURRENT ROW ) AS "A", LAG("R", 1, NULL) OVER (PARTITION BY "ID"  ORDER BY "DATE" ASC '
        'NULLS FIRST ) AS "B" FROM {db}.S.FILL',
        {"status"},
        1,
    ),
    ("DESC VIEW S.FV_V$V1", {"name", "type", "comment"}, 4),
    (
        f"CREATE DYNAMIC TABLE S.FV_D$V1 (ID , DATE , A COMMENT '')\n TARGET_LAG = '1 day'\n COMMENT = 'd'\n {TAGS}\n"
        "WAREHOUSE = WH\n REFRESH_MODE = AUTO\n INITIALIZE = ON_CREATE\n CLUSTER BY (ID, DATE)\n AS "
        'SELECT "ID", "DATE", "R" AS "A" FROM {db}.S.FILL',
        {"status"},
        1,
    ),
    (
        "SHOW DYNAMIC TABLES LIKE 'FV_D$V1' IN {db}.S",
        {"refresh_mode", "refresh_mode_reason", "warehouse", "cluster_by", "owner", "created_on", "comment"},
        1,
    ),
    ("DESC DYNAMIC TABLE {db}.S.FV_D$V1", {"name", "type", "comment"}, 3),
    (ASOF, {"ID", "TS", "LABEL", "A"}, 2),
    (
        'CREATE TABLE S.TRAIN("ID" BIGINT, "TS" DATE, "LABEL" DOUBLE, "A" DOUBLE) AS SELECT  *  FROM (' + ASOF + ")",
        {"status"},
        1,
    ),
    ("ALTER TABLE S.TRAIN SET TAG S.SNOWML_FEATURE_STORE_OBJECT='{{}}'", {"status"}, 1),
    ("SHOW DATASETS IN SCHEMA {db}.S", {"name"}, 0),
    ("CREATE DATASET IF NOT EXISTS {db}.S.DS1", {"status"}, 1),
    (
        f"ALTER DATASET {{db}}.S.DS1 ADD VERSION 'v1' FROM ({ASOF}) COMMENT='it''s' "
        'METADATA=$${{"source_query": "SELECT $1 \'x\'", "label_cols": ["LABEL"]}}$$',
        {"status"},
        1,
    ),
    ("SHOW VERSIONS LIKE 'v1' IN DATASET {db}.S.DS1", {"version", "created_on", "comment", "metadata"}, 1),
    ("LIST 'snow://dataset/{db}.S.DS1/versions/v1/'", {"name", "size", "md5"}, 1),
    (
        "select 'v1/data_0_0_0.snappy.parquet' as name, get_presigned_url('snow://dataset/{db}.S.DS1/versions/v1', "
        "'data_0_0_0.snappy.parquet', 14400) as url",
        {"NAME", "URL"},
        1,
    ),
    ("CREATE SCOPED TEMPORARY FILE  FORMAT  If  NOT  EXISTS FF TYPE  = PARQUET", {"status"}, 1),
    (
        "SELECT  *  FROM  TABLE ( INFER_SCHEMA ( LOCATION  => 'snow://dataset/{db}.S.DS1/versions/v1/',  "
        "FILE_FORMAT  => 'FF', MAX_FILE_COUNT => 1)) ORDER BY ORDER_ID, COLUMN_NAME",
        {"COLUMN_NAME", "TYPE", "NULLABLE", "EXPRESSION"},
        4,
    ),
    (
        'SELECT $1:"ID"::NUMBER(38, 0) AS "ID", $1:"A"::REAL AS "A" FROM snow://dataset/{db}.S.DS1/versions/v1/'
        "( FILE_FORMAT  => 'FF',  PATTERN  => '.*data_.*[.]parquet')",
        {"ID", "A"},
        2,
    ),
    ("DROP  FILE  FORMAT  If  EXISTS FF", {"status"}, 1),
    ("show datasets like 'DS1' in schema {db}.S starts with 'DS1'", {"name"}, 1),
    ("ALTER DYNAMIC TABLE {db}.S.FV_D$V1 SUSPEND", {"status"}, 1),
    ("ALTER TASK IF EXISTS {db}.S.FV_D$V1 SUSPEND", {"status"}, 1),
    ("ALTER DYNAMIC TABLE {db}.S.FV_D$V1 RESUME", {"status"}, 1),
    ("ALTER DYNAMIC TABLE {db}.S.FV_D$V1 REFRESH", set(), 1),
    (
        "SELECT name, state, refresh_start_time, refresh_end_time, refresh_action\n FROM TABLE (\n "
        "{db}.INFORMATION_SCHEMA.DYNAMIC_TABLE_REFRESH_HISTORY (RESULT_LIMIT => 10000)\n )\n"
        "WHERE NAME = 'FV_D$V1'\n AND SCHEMA_NAME = 'S' AND DATABASE_NAME = '{db}'",
        {"NAME", "STATE", "REFRESH_START_TIME", "REFRESH_END_TIME", "REFRESH_ACTION"},
        2,
    ),
    ("ALTER DYNAMIC TABLE {db}.S.FV_D$V1 SET TARGET_LAG = '2 days' WAREHOUSE = WH COMMENT = 'n'", {"status"}, 1),
    ("ALTER TAG S.SNOWML_FEATURE_STORE_ENTITY_E SET COMMENT = 'nd'", {"status"}, 1),
    ("DROP DYNAMIC TABLE IF EXISTS {db}.S.FV_D$V1", {"status"}, 1),
    ("DROP TASK IF EXISTS {db}.S.FV_D$V1", {"status"}, 1),
    ("DROP TABLE IF EXISTS {db}.S.FV_D$V1$SNAPSHOTS", {"status"}, 1),
    ("DROP ONLINE FEATURE TABLE IF EXISTS {db}.S.FV_D$V1$ONLINE", {"status"}, 1),
    ("DROP VIEW IF EXISTS {db}.S.FV_V$V1", {"status"}, 1),
    ("DROP TAG IF EXISTS S.SNOWML_FEATURE_STORE_ENTITY_E", {"status"}, 1),
    ("SELECT SYSTEM$ML_PLATFORM_CAPABILITIES() AS FEATURES;", {"FEATURES"}, 1),
    ("SHOW MODELS LIKE 'M' IN SCHEMA {db}.S", {"name", "comment", "default_version_name", "owner"}, 0),
    ("CREATE SCOPED TEMPORARY STAGE {db}.S.UP", {"status"}, 1),
    (
        "SELECT PACKAGE_NAME, VERSION\nFROM information_schema.packages\nWHERE (package_name = 'snowflake-ml-python')\n"
        "AND language = 'python'\nAND (runtime_version = '3.11'\n    OR runtime_version is null);",
        {"PACKAGE_NAME", "VERSION"},
        1,
    ),
    ("PUT 'file://{dir}/MANIFEST.yml' '@{db}.S.UP/model'  parallel = 4 source_compression = 'AUTO_DETECT' "
     "auto_compress = False overwrite = False", {"status", "target"}, 1),
    ("CREATE MODEL {db}.S.M WITH VERSION V1 FROM @{db}.S.UP/model", {"status"}, 1),
    (
        "SHOW VERSIONS LIKE 'V1' IN MODEL {db}.S.M",
        {"name", "comment", "metadata", "aliases", "model_spec", "runnable_in", "inference_services"},
        1,
    ),
    ("SHOW FUNCTIONS IN MODEL {db}.S.M VERSION V1", {"name", "return_type"}, 0),
    ("ALTER MODEL {db}.S.M MODIFY VERSION V1 SET COMMENT=$$it's$$", {"status"}, 1),
    ('ALTER MODEL {db}.S.M MODIFY VERSION V1 SET METADATA=$${{"metrics": {{"rmse": 0.1}}}}$$', {"status"}, 1),
    ("ALTER MODEL {db}.S.M ADD VERSION SILLY_SHARK_1 FROM @{db}.S.UP/model", {"status"}, 1),
    ("SHOW VERSIONS IN MODEL {db}.S.M", {"name"}, 2),
    ("ALTER MODEL {db}.S.M SET DEFAULT_VERSION = SILLY_SHARK_1", {"status"}, 1),
    ("ALTER MODEL {db}.S.M VERSION V1 SET ALIAS = CHAMPION", {"status"}, 1),
    ("ALTER MODEL {db}.S.M VERSION CHAMPION UNSET ALIAS", {"status"}, 1),
    ("COMMENT ON MODEL {db}.S.M IS $$model's comment$$", {"status"}, 1),
    ("CREATE TAG STAGE_TAG", {"status"}, 1),
    ("ALTER MODEL {db}.S.M SET TAG {db}.S.STAGE_TAG = $$live$$", {"status"}, 1),
    ("SELECT SYSTEM$GET_TAG($${db}.S.STAGE_TAG$$, $${db}.S.M$$, 'MODULE') AS TAG_VALUE", {"TAG_VALUE"}, 1),
    (
        "SELECT TAG_DATABASE, TAG_SCHEMA, TAG_NAME, TAG_VALUE\n"
        "FROM TABLE({db}.INFORMATION_SCHEMA.TAG_REFERENCES($${db}.S.M$$, 'MODULE'))",
        {"TAG_DATABASE", "TAG_SCHEMA", "TAG_NAME", "TAG_VALUE"},
        1,
    ),
    ("ALTER MODEL {db}.S.M UNSET TAG {db}.S.STAGE_TAG", {"status"}, 1),
    ("SHOW PARAMETERS LIKE 'QUOTED_IDENTIFIERS_IGNORE_CASE' IN SESSION", {"key", "value"}, 1),
    ("List 'snow://model/{db}.S.M/versions/V1/'", {"name"}, 1),
    ("GET 'snow://model/{db}.S.M/versions/V1/MANIFEST.yml' 'file://{dir}/got'  parallel = 10", {"file", "status"}, 1),
    ("CREATE MODEL {db}.S.M2 WITH VERSION V1 FROM MODEL {db}.S.M VERSION V1", {"status"}, 1),
    ("ALTER MODEL {db}.S.M2 ADD VERSION V2 FROM MODEL {db}.S.M VERSION V1", {"status"}, 1),
    ("ALTER MODEL {db}.S.M DROP VERSION V1", {"status"}, 1),
    ("ALTER MODEL {db}.S.M RENAME TO {db}.S.RENAMED", {"status"}, 1),
    ("DROP MODEL {db}.S.RENAMED", {"status"}, 1),
    ("CREATE MODEL {db}.S.PENDING_1_MODEL WITH LIVE VERSION LIVE_1_VERSION", {"status"}, 1),
    ("PUT 'file://{dir}/MANIFEST.yml' 'snow://model/{db}.S.PENDING_1_MODEL/versions/LIVE_1_VERSION'  parallel = 4 "
     "source_compression = 'AUTO_DETECT' auto_compress = False overwrite = False", {"status"}, 1),
    (
        "ALTER MODEL {db}.S.PENDING_1_MODEL COMMIT VERSION LIVE_1_VERSION RENAME TO {db}.S.LIVE_M RENAME VERSION TO V1",
        {"status"},
        1,
    ),
    ("ALTER MODEL {db}.S.LIVE_M ADD LIVE VERSION LIVE_2_VERSION", {"status"}, 1),
]  # fmt: skip


def test_every_statement_is_answered(
    connection: snowflake.connector.SnowflakeConnection, database: str, tmp_path: Any
) -> None:
    (tmp_path / "MANIFEST.yml").write_text("manifest_version: '1.0'\nmethods: []\nruntimes: {}\n")
    (tmp_path / "got").mkdir()
    for text, columns, count in STATEMENTS:
        sql = (
            text.replace("{db}", database)
            .replace("{dir}", str(tmp_path))
            .replace("{{", "{")
            .replace("}}", "}")
        )
        with connection.cursor() as cursor:
            rows = cursor.execute(sql).fetchall()
            names = {column.name for column in cursor.description}
        assert columns <= names, sql
        assert count is None or len(rows) == count, sql
    assert (tmp_path / "got" / "MANIFEST.yml").is_file()


def test_every_statement_is_described_without_running(
    connection: snowflake.connector.SnowflakeConnection, database: str, tmp_path: Any
) -> None:
    """Describing changes nothing: all can be described, then run."""
    (tmp_path / "MANIFEST.yml").write_text("manifest_version: '1.0'\nmethods: []\nruntimes: {}\n")
    (tmp_path / "got").mkdir()
    for text, _, _ in STATEMENTS:
        sql = (
            text.replace("{db}", database)
            .replace("{dir}", str(tmp_path))
            .replace("{{", "{")
            .replace("}}", "}")
        )
        if sql.startswith(("PUT", "GET")):
            with connection.cursor() as cursor:
                cursor.execute(sql)
            continue
        with connection.cursor() as cursor:
            described = [column.name for column in cursor.describe(sql)]
            cursor.execute(sql)
            assert described == [column.name for column in cursor.description], sql


REFUSED = [
    "CREATE ONLINE FEATURE TABLE X PRIMARY KEY (A) TARGET_LAG = '1 minute' WAREHOUSE = WH FROM T",
    "ALTER ONLINE FEATURE TABLE X REFRESH",
    "SHOW ICEBERG TABLES IN SCHEMA S",
    "CREATE MODEL MONITOR X WITH MODEL = M",
    "CREATE DYNAMIC ICEBERG TABLE X TARGET_LAG = '1 day' WAREHOUSE = WH AS SELECT 1 AS A",
    "DESCRIBE MODEL M",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_not_done_is_refused_by_name(run: Any, statement: str) -> None:
    with pytest.raises(ProgrammingError) as raised:
        run(statement)
    assert (raised.value.errno, raised.value.sqlstate) == (2, "0A000")
