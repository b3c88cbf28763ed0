"""Tables, and dynamic tables over them."""

from __future__ import annotations

from services.snowflake.identifiers import like_pattern, quote
from services.verify.place import Place
from services.verify.types import Guess, Said, decided, undecided

_LAG = "TARGET_LAG = '1 hour'"


def same_name(place: Place) -> Said:
    table = place.name("SHARED_NAME")
    place.rows(f"CREATE OR REPLACE TABLE {table} (A NUMBER)")
    refusal = place.refusal(f"CREATE OR REPLACE VIEW {table} AS SELECT 1 AS A")
    return decided(
        refusal is not None and refusal.errno == 2203, str(refusal or "the table was replaced by the view")
    )


def automatic_mode(place: Place) -> Said:
    """What the service's own feature view got, which leaves the choice to Snowflake."""
    found = place.rows(f"SHOW DYNAMIC TABLES IN SCHEMA {place.scope.feature_store}")
    if not found:
        return undecided("the feature store holds no dynamic table")
    modes = {row["name"]: (row.get("refresh_mode"), row.get("refresh_mode_reason")) for row in found}
    return decided(
        all(mode in ("FULL", "INCREMENTAL") for mode, _ in modes.values()),
        "; ".join(f"{name}: {mode} ({reason})" for name, (mode, reason) in modes.items()),
    )


def simple_incremental(place: Place) -> Said:
    table, view = place.name("TRACKED"), place.name("OVER_TRACKED")
    place.rows(f"CREATE OR REPLACE TABLE {table} (A NUMBER) CHANGE_TRACKING = TRUE")
    place.rows(
        f"CREATE OR REPLACE DYNAMIC TABLE {view} {_LAG} WAREHOUSE = {quote(place.warehouse)}"
        f" REFRESH_MODE = INCREMENTAL AS SELECT A FROM {table}"
    )
    row = place.rows(f"SHOW DYNAMIC TABLES LIKE {like_pattern(view.name)} IN SCHEMA {place.schema}")[0]
    place.rows(f"DROP DYNAMIC TABLE IF EXISTS {view}")
    told = (row["refresh_mode"], row["target_lag"], row["scheduling_state"])
    return decided(
        told[:2] == ("INCREMENTAL", "1 hour"),
        "refresh_mode {}, target_lag {}, scheduling_state {}".format(*told),
    )


def dml_on_dynamic_table(place: Place) -> Said:
    table, view = place.name("SOURCE"), place.name("REFRESHED")
    place.rows(f"CREATE OR REPLACE TABLE {table} (A NUMBER) CHANGE_TRACKING = TRUE")
    place.rows(
        f"CREATE OR REPLACE DYNAMIC TABLE {view} {_LAG} WAREHOUSE = {quote(place.warehouse)}"
        f" AS SELECT A FROM {table}"
    )
    refusal = place.refusal(f"INSERT INTO {view} VALUES (1)")
    place.rows(f"DROP DYNAMIC TABLE IF EXISTS {view}")
    return decided(refusal is not None, str(refusal or "the row was taken"))


def short_lag(place: Place) -> Said:
    table, view = place.name("LAGGED"), place.name("SHORT_LAG")
    place.rows(f"CREATE OR REPLACE TABLE {table} (A NUMBER) CHANGE_TRACKING = TRUE")
    refusal = place.refusal(
        f"CREATE OR REPLACE DYNAMIC TABLE {view} TARGET_LAG = '2m' WAREHOUSE = {quote(place.warehouse)}"
        f" AS SELECT A FROM {table}"
    )
    if refusal is not None:
        return decided(False, str(refusal))
    row = place.rows(f"SHOW DYNAMIC TABLES LIKE {like_pattern(view.name)} IN SCHEMA {place.schema}")[0]
    place.rows(f"DROP DYNAMIC TABLE IF EXISTS {view}")
    return decided(row["target_lag"] == "2 minutes", f"'2m' is shown as {row['target_lag']!r}")


GUESSES = (
    Guess(
        "tables.same_name",
        "CREATE OR REPLACE VIEW of a table's name is refused with 002203.",
        same_name,
    ),
    Guess(
        "tables.automatic_mode",
        "A feature view whose refresh mode is left to Snowflake is made, FULL or INCREMENTAL.",
        automatic_mode,
    ),
    Guess(
        "tables.incremental",
        "An explicit INCREMENTAL over a table with change tracking is shown as such.",
        simple_incremental,
    ),
    Guess("tables.dynamic_dml", "DML on a dynamic table is refused.", dml_on_dynamic_table),
    Guess(
        "tables.short_lag",
        "TARGET_LAG = '2m' is understood, and shown as 2 minutes.",
        short_lag,
        relied_on=False,
    ),
)
