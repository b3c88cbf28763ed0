"""Tables of predictions that a test writes out."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import HealthCheck, settings

from services.snowflake.identifiers import exactly, literal

FIRST = date(2025, 6, 2)
SETTINGS = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def put(run: Any, table: str, columns: dict[str, str], rows: list[tuple[Any, ...]]) -> None:
    """Makes the table anew with these rows."""
    declared = ", ".join(f"{exactly(name)} {kind}" for name, kind in columns.items())
    run(f'CREATE OR REPLACE TABLE SPOKEHUB.SHOP_DEV."{table}" ({declared})')
    if rows:
        values = ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)
        run(f'INSERT INTO SPOKEHUB.SHOP_DEV."{table}" VALUES {values}')
