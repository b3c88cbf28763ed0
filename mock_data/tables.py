"""The five source tables, the one that remembers the configuration, and every statement over them.

Types and constraints are those of a real account, where primary and unique keys are declared, not enforced.
"""

import re
from dataclasses import dataclass
from datetime import date

from mock_data.errors import MockDataError

PUDO_REFERENCE = "PUDO_REFERENCE"
PARCELS = "PARCELS"
DELIVERY_ATTEMPTS = "DELIVERY_ATTEMPTS"
PUDO_OCCUPANCY = "PUDO_OCCUPANCY"
DATA_GENERATION_LOG = "DATA_GENERATION_LOG"
DATA_GENERATION_CONFIG = "DATA_GENERATION_CONFIG"

SOURCE_TABLES = (PUDO_REFERENCE, PARCELS, DELIVERY_ATTEMPTS, PUDO_OCCUPANCY, DATA_GENERATION_LOG)

# The phases of a day, as the log names them.
MORNING = "MORNING"
EVENING = "EVENING"

# The column by which a row belongs to a simulated day.
DAY_COLUMNS = {
    PARCELS: "CREATED_DATE",
    DELIVERY_ATTEMPTS: "ATTEMPT_DATE",
    PUDO_OCCUPANCY: "DATE",
    DATA_GENERATION_LOG: "SIMULATION_DATE",
}

COLUMNS = {
    PUDO_REFERENCE: """
        PUDO_ID INTEGER NOT NULL PRIMARY KEY,
        PUDO_NAME VARCHAR(50) NOT NULL,
        PUDO_TYPE VARCHAR(20) NOT NULL,
        LATITUDE FLOAT NOT NULL,
        LONGITUDE FLOAT NOT NULL,
        ADDRESS VARCHAR(500),
        CAPACITY INTEGER NOT NULL,
        OPENING_HOURS VARCHAR(50),
        IS_ACTIVE BOOLEAN NOT NULL,
        CREATED_AT TIMESTAMP_NTZ""",
    PARCELS: """
        TRACKING_NUMBER VARCHAR(50) NOT NULL PRIMARY KEY,
        DESTINATION_LAT FLOAT NOT NULL,
        DESTINATION_LON FLOAT NOT NULL,
        DESTINATION_ADDRESS VARCHAR(500),
        PARCEL_SIZE VARCHAR(10) NOT NULL,
        WEIGHT_KG FLOAT NOT NULL,
        CREATED_DATE DATE NOT NULL,
        CREATED_AT TIMESTAMP_NTZ""",
    DELIVERY_ATTEMPTS: """
        ATTEMPT_ID VARCHAR(50) NOT NULL PRIMARY KEY,
        TRACKING_NUMBER VARCHAR(50) NOT NULL,
        ATTEMPT_DATE DATE NOT NULL,
        ATTEMPT_NUMBER INTEGER NOT NULL,
        DELIVERY_STATUS VARCHAR(50) NOT NULL,
        PUDO_ID INTEGER,
        DRIVER_ID INTEGER NOT NULL,
        ATTEMPT_TIME TIME NOT NULL,
        FAILURE_REASON VARCHAR(100),
        CREATED_AT TIMESTAMP_NTZ""",
    PUDO_OCCUPANCY: """
        PUDO_ID INTEGER NOT NULL,
        DATE DATE NOT NULL,
        DAILY_DELIVERIES INTEGER NOT NULL,
        FILL_RATE FLOAT NOT NULL,
        CREATED_AT TIMESTAMP_NTZ,
        UNIQUE (PUDO_ID, DATE)""",
    DATA_GENERATION_LOG: """
        SIMULATION_DATE DATE NOT NULL,
        PHASE VARCHAR(20) NOT NULL,
        RECORDS_ADDED INTEGER NOT NULL,
        STATUS VARCHAR(20) NOT NULL,
        NOTES VARCHAR(500),
        UNIQUE (SIMULATION_DATE, PHASE)""",
    DATA_GENERATION_CONFIG: """
        FINGERPRINT VARCHAR(16) NOT NULL,
        CONFIG VARCHAR(4000) NOT NULL,
        REVISION INTEGER NOT NULL,
        SEEDED_AT TIMESTAMP_NTZ NOT NULL""",
}

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)'
_SCHEMA = re.compile(rf"{_NAME}\.{_NAME}")


def literal(value: str | int | date) -> str:
    """A value as an SQL literal."""
    if isinstance(value, date):
        return f"'{value.isoformat()}'::DATE"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


@dataclass(frozen=True)
class Statements:
    """The SQL over the tables of one schema, given as ``database.schema``, each part quoted or plain."""

    schema: str

    def __post_init__(self) -> None:
        if not _SCHEMA.fullmatch(self.schema):
            raise MockDataError(
                f"{self.schema!r} is not a database and a schema.", 'Write it as "DB"."SCHEMA".'
            )

    def table(self, name: str) -> str:
        """The fully qualified name of a table."""
        return f'{self.schema}."{name}"'

    def create_tables(self) -> list[str]:
        """CREATE TABLE IF NOT EXISTS for all six. A dynamic table over a source refreshes incrementally only where
        the source tracks its changes, and its owner, who reads the source, cannot switch that on.

        https://docs.snowflake.com/en/user-guide/dynamic-tables-create
        """
        return [
            f"CREATE TABLE IF NOT EXISTS {self.table(name)} ({body}\n) CHANGE_TRACKING = TRUE"
            for name, body in COLUMNS.items()
        ]

    def create_stage(self, stage: str) -> str:
        """A stage that lives as long as the session."""
        return f"CREATE TEMPORARY STAGE {self.table(stage)}"

    def drop_stage(self, stage: str) -> str:
        """Give the stage and its files back before the session ends."""
        return f"DROP STAGE IF EXISTS {self.table(stage)}"

    def put(self, path: str, stage: str) -> str:
        """Upload one file. Quotes in the path are escaped."""
        escaped = path.replace("\\", "/").replace("'", "\\'")
        return f"PUT 'file://{escaped}' @{self.table(stage)} AUTO_COMPRESS = FALSE OVERWRITE = TRUE"

    def copy(self, table: str, stage: str) -> str:
        """Load a table from its file on the stage; all of it or an error."""
        return (
            f"COPY INTO {self.table(table)} FROM @{self.table(stage)}/{table}.parquet"
            " FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)"
            " MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE ON_ERROR = ABORT_STATEMENT"
        )

    def insert_config(self, fingerprint: str, config: str) -> str:
        """The row that says that the schema is seeded, and with what."""
        return (
            f"INSERT INTO {self.table(DATA_GENERATION_CONFIG)} (FINGERPRINT, CONFIG, REVISION, SEEDED_AT)"
            f" SELECT {literal(fingerprint)}, {literal(config)}, 0, SYSDATE()"
        )

    def select_config(self) -> str:
        """FINGERPRINT, CONFIG and REVISION: one row, or none before the seed."""
        return f"SELECT FINGERPRINT, CONFIG, REVISION FROM {self.table(DATA_GENERATION_CONFIG)}"

    def advance(self, revision: int) -> str:
        """Take the simulation's turn: changes one row, or none when another has moved it since."""
        return (
            f"UPDATE {self.table(DATA_GENERATION_CONFIG)} SET REVISION = {literal(revision + 1)}"
            f" WHERE REVISION = {literal(revision)}"
        )

    def insert_log(self, day: date, phase: str, records: int, notes: str) -> str:
        """One phase of one day."""
        return (
            f"INSERT INTO {self.table(DATA_GENERATION_LOG)}"
            " (SIMULATION_DATE, PHASE, RECORDS_ADDED, STATUS, NOTES)"
            f" SELECT {literal(day)}, {literal(phase)}, {literal(records)}, 'COMPLETED', {literal(notes)}"
        )

    def last_phases(self) -> str:
        """PHASE and its last SIMULATION_DATE."""
        return f"SELECT PHASE, MAX(SIMULATION_DATE) FROM {self.table(DATA_GENERATION_LOG)} GROUP BY PHASE"

    def select_log(self, since: date) -> str:
        """The log from a day on, mornings before evenings."""
        return (
            "SELECT SIMULATION_DATE, PHASE, RECORDS_ADDED, STATUS, NOTES"
            f" FROM {self.table(DATA_GENERATION_LOG)}"
            f" WHERE SIMULATION_DATE >= {literal(since)} ORDER BY SIMULATION_DATE, PHASE DESC"
        )

    def count_rows(self) -> str:
        """Table name and number of rows, for the five source tables."""
        return " UNION ALL ".join(
            f"SELECT {literal(name)}, COUNT(*) FROM {self.table(name)}" for name in SOURCE_TABLES
        )

    def delete_after(self, table: str, day: date) -> str:
        """Remove what belongs to later days."""
        return f"DELETE FROM {self.table(table)} WHERE {DAY_COLUMNS[table]} > {literal(day)}"

    def delete_all(self, table: str) -> str:
        """Empty a table within a transaction, which TRUNCATE would not keep open."""
        return f"DELETE FROM {self.table(table)}"
