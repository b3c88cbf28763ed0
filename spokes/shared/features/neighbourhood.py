"""The neighbourhood of a place on a morning: what is announced, and which points there are, in and around its cell.

Parcels are counted by cell and each count is told to the nine cells around, so no parcel meets a parcel or a point.
How busy it was lately is told of the cell's block, which is three cells by three: a single cell has too few parcels.
A cell has a row on every morning on which a parcel for it is announced, and from a point's first day on every morning.
"""

from __future__ import annotations

from functools import partial

from spoke_kit import days, geo
from spoke_kit.features import Definition

_CELL = "CELL_ROW, CELL_COLUMN"
_BLOCK = "BLOCK_ROW, BLOCK_COLUMN"
_back = partial(days.back, partition=_BLOCK)
_over = partial(days.over_days, partition=_BLOCK)


def _block(step: str) -> str:
    """SQL: the row or column of the block for that of a cell."""
    return f"FLOOR({step}::FLOAT / 3)::INTEGER"


_QUERY = f"""WITH {days.calendar("{shared:PARCELS}", "CREATED_DATE")},
{geo.around()},
HERE AS (
    SELECT
        {geo.cell_row("DESTINATION_LAT")} AS CELL_ROW,
        {geo.cell_column("DESTINATION_LON")} AS CELL_COLUMN,
        CREATED_DATE AS DATE,
        COUNT(*) AS PARCELS
    FROM {{shared:PARCELS}}
    GROUP BY 1, 2, 3
),
TOTALS AS (SELECT DATE, SUM(PARCELS) AS PARCELS FROM HERE GROUP BY DATE),
SITES AS (
    SELECT
        {geo.cell_row("LATITUDE")} AS CELL_ROW,
        {geo.cell_column("LONGITUDE")} AS CELL_COLUMN,
        CREATED_AT::DATE AS FIRST_DATE,
        CAPACITY
    FROM {{shared:PUDO_REFERENCE}}
),
CELL_DAYS AS (
    SELECT {_CELL}, DATE FROM HERE
    UNION
    SELECT SITES.CELL_ROW, SITES.CELL_COLUMN, CALENDAR.DATE
    FROM SITES JOIN CALENDAR ON CALENDAR.DATE >= SITES.FIRST_DATE
),
AREA AS (
    SELECT
        HERE.CELL_ROW + AROUND.DROW AS CELL_ROW,
        HERE.CELL_COLUMN + AROUND.DCOLUMN AS CELL_COLUMN,
        HERE.DATE,
        SUM(HERE.PARCELS) AS PARCELS
    FROM HERE CROSS JOIN AROUND
    GROUP BY 1, 2, 3
),
SITES_AROUND AS (
    SELECT
        SITES.CELL_ROW + AROUND.DROW AS CELL_ROW,
        SITES.CELL_COLUMN + AROUND.DCOLUMN AS CELL_COLUMN,
        SITES.FIRST_DATE,
        SITES.CAPACITY
    FROM SITES CROSS JOIN AROUND
),
OPEN AS (
    SELECT
        CELL_DAYS.CELL_ROW, CELL_DAYS.CELL_COLUMN, CELL_DAYS.DATE,
        COUNT(*) AS POINTS,
        SUM(SITES_AROUND.CAPACITY) AS CAPACITY
    FROM CELL_DAYS
    JOIN SITES_AROUND
        ON SITES_AROUND.CELL_ROW = CELL_DAYS.CELL_ROW
        AND SITES_AROUND.CELL_COLUMN = CELL_DAYS.CELL_COLUMN
        AND SITES_AROUND.FIRST_DATE <= CELL_DAYS.DATE
    GROUP BY 1, 2, 3
),
BLOCK_PARCELS AS (
    SELECT
        {_block("CELL_ROW")} AS BLOCK_ROW,
        {_block("CELL_COLUMN")} AS BLOCK_COLUMN,
        DATE,
        SUM(PARCELS) AS PARCELS
    FROM HERE
    GROUP BY 1, 2, 3
),
BLOCKS AS (SELECT {_BLOCK}, MIN(DATE) AS FIRST_DATE FROM BLOCK_PARCELS GROUP BY {_BLOCK}),
BLOCK_DAYS AS (
    SELECT
        BLOCKS.BLOCK_ROW, BLOCKS.BLOCK_COLUMN, CALENDAR.DATE, COALESCE(BLOCK_PARCELS.PARCELS, 0)::FLOAT AS PARCELS
    FROM BLOCKS
    JOIN CALENDAR ON CALENDAR.DATE >= BLOCKS.FIRST_DATE
    LEFT JOIN BLOCK_PARCELS
        ON BLOCK_PARCELS.BLOCK_ROW = BLOCKS.BLOCK_ROW
        AND BLOCK_PARCELS.BLOCK_COLUMN = BLOCKS.BLOCK_COLUMN
        AND BLOCK_PARCELS.DATE = CALENDAR.DATE
),
LATELY AS (
    SELECT
        {_BLOCK}, DATE, PARCELS,
        {_back("PARCELS", 1)} AS PARCELS_1,
        {_back("PARCELS", 7)} AS PARCELS_7,
        {_over("AVG(PARCELS)", 7, 1)} AS AVG_7,
        {_over("AVG(PARCELS)", 28, 1)} AS AVG_28
    FROM BLOCK_DAYS
)
SELECT
    {geo.cell_key("CELL_DAYS.CELL_ROW", "CELL_DAYS.CELL_COLUMN")} AS CELL,
    {days.morning_of("CELL_DAYS.DATE")} AS UPDATED_AT,
    COALESCE(HERE.PARCELS, 0)::FLOAT AS CELL_PARCELS,
    COALESCE(AREA.PARCELS, 0)::FLOAT AS AREA_PARCELS,
    COALESCE(OPEN.POINTS, 0)::FLOAT AS AREA_POINTS,
    COALESCE(OPEN.CAPACITY, 0)::FLOAT AS AREA_CAPACITY,
    (COALESCE(AREA.PARCELS, 0)::FLOAT / OPEN.CAPACITY)::FLOAT AS AREA_PARCELS_PER_CAPACITY,
    COALESCE(LATELY.PARCELS, 0)::FLOAT AS BLOCK_PARCELS,
    LATELY.PARCELS_1::FLOAT AS BLOCK_PARCELS_LAG_1D,
    LATELY.PARCELS_7::FLOAT AS BLOCK_PARCELS_LAG_7D,
    LATELY.AVG_7::FLOAT AS BLOCK_PARCELS_7D_AVG,
    (LATELY.PARCELS::FLOAT / NULLIF(LATELY.AVG_28, 0))::FLOAT AS BLOCK_PARCELS_28D_RATIO,
    COALESCE(TOTALS.PARCELS, 0)::FLOAT AS NETWORK_PARCELS
FROM CELL_DAYS
LEFT JOIN HERE
    ON HERE.CELL_ROW = CELL_DAYS.CELL_ROW
    AND HERE.CELL_COLUMN = CELL_DAYS.CELL_COLUMN
    AND HERE.DATE = CELL_DAYS.DATE
LEFT JOIN AREA
    ON AREA.CELL_ROW = CELL_DAYS.CELL_ROW
    AND AREA.CELL_COLUMN = CELL_DAYS.CELL_COLUMN
    AND AREA.DATE = CELL_DAYS.DATE
LEFT JOIN OPEN
    ON OPEN.CELL_ROW = CELL_DAYS.CELL_ROW
    AND OPEN.CELL_COLUMN = CELL_DAYS.CELL_COLUMN
    AND OPEN.DATE = CELL_DAYS.DATE
LEFT JOIN LATELY
    ON LATELY.BLOCK_ROW = {_block("CELL_DAYS.CELL_ROW")}
    AND LATELY.BLOCK_COLUMN = {_block("CELL_DAYS.CELL_COLUMN")}
    AND LATELY.DATE = CELL_DAYS.DATE
LEFT JOIN TOTALS ON TOTALS.DATE = CELL_DAYS.DATE"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description="Parcels announced, points and capacity in and around a cell of 1 km",
        columns={
            "CELL_PARCELS": "Parcels announced for that day in the cell",
            "AREA_PARCELS": "Parcels announced for that day in the nine cells around",
            "AREA_POINTS": "Points in the nine cells around",
            "AREA_CAPACITY": "Parcels that the points in the nine cells around can take in a day",
            "AREA_PARCELS_PER_CAPACITY": "Parcels announced in the nine cells around over the capacity there",
            "BLOCK_PARCELS": "Parcels announced for that day in the block of 3 by 3 cells around it",
            "BLOCK_PARCELS_LAG_1D": "The same, the day before",
            "BLOCK_PARCELS_LAG_7D": "The same, a week before",
            "BLOCK_PARCELS_7D_AVG": "Mean of the 7 days before in the block",
            "BLOCK_PARCELS_28D_RATIO": "Parcels announced in the block over the mean of the 28 days before",
            "NETWORK_PARCELS": "Parcels announced for that day in the whole network",
        },
    )
}
