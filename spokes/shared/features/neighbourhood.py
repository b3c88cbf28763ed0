"""The neighbourhood of a place on a morning: what is announced and which points there are in the nine cells around.

Parcels are counted by cell, and each count is told to the nine cells around: no parcel meets a parcel or a point.
A cell has rows from the first day on which anything was known of its neighbourhood; before, nobody could know it.
"""

from __future__ import annotations

from functools import partial

from spoke_kit import days, geo
from spoke_kit.features import Definition

_CELL = "CELL_ROW, CELL_COLUMN"
_back = partial(days.back, partition=_CELL)
_over = partial(days.over_days, partition=_CELL)

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
ANNOUNCED AS (
    SELECT
        HERE.CELL_ROW + AROUND.DROW AS CELL_ROW,
        HERE.CELL_COLUMN + AROUND.DCOLUMN AS CELL_COLUMN,
        HERE.DATE,
        SUM(HERE.PARCELS) AS PARCELS,
        SUM(CASE WHEN AROUND.DROW = 0 AND AROUND.DCOLUMN = 0 THEN HERE.PARCELS ELSE 0 END) AS OWN_PARCELS
    FROM HERE CROSS JOIN AROUND
    GROUP BY 1, 2, 3
),
TOTALS AS (SELECT DATE, SUM(PARCELS) AS PARCELS FROM HERE GROUP BY DATE),
SITES AS (
    SELECT
        {geo.cell_row("LATITUDE")} AS CELL_ROW,
        {geo.cell_column("LONGITUDE")} AS CELL_COLUMN,
        GREATEST(POINTS.CREATED_AT::DATE, SPAN.FIRST_DATE) AS DATE,
        POINTS.CAPACITY
    FROM {{shared:PUDO_REFERENCE}} AS POINTS CROSS JOIN SPAN
),
OPENED AS (
    SELECT
        SITES.CELL_ROW + AROUND.DROW AS CELL_ROW,
        SITES.CELL_COLUMN + AROUND.DCOLUMN AS CELL_COLUMN,
        SITES.DATE,
        COUNT(*) AS POINTS,
        SUM(SITES.CAPACITY) AS CAPACITY
    FROM SITES CROSS JOIN AROUND
    GROUP BY 1, 2, 3
),
CELLS AS (
    SELECT {_CELL}, MIN(DATE) AS FIRST_DATE
    FROM (
        SELECT {_CELL}, DATE FROM ANNOUNCED
        UNION ALL
        SELECT {_CELL}, DATE FROM OPENED
    ) AS KNOWN
    GROUP BY {_CELL}
),
COUNTED AS (
    SELECT
        CELLS.CELL_ROW, CELLS.CELL_COLUMN, CALENDAR.DATE,
        COALESCE(ANNOUNCED.PARCELS, 0)::FLOAT AS PARCELS,
        COALESCE(ANNOUNCED.OWN_PARCELS, 0)::FLOAT AS OWN_PARCELS,
        COALESCE(TOTALS.PARCELS, 0)::FLOAT AS NETWORK_PARCELS,
        COALESCE(OPENED.POINTS, 0)::FLOAT AS OPENED,
        COALESCE(OPENED.CAPACITY, 0)::FLOAT AS OPENED_CAPACITY
    FROM CELLS
    JOIN CALENDAR ON CALENDAR.DATE >= CELLS.FIRST_DATE
    LEFT JOIN ANNOUNCED
        ON ANNOUNCED.CELL_ROW = CELLS.CELL_ROW
        AND ANNOUNCED.CELL_COLUMN = CELLS.CELL_COLUMN
        AND ANNOUNCED.DATE = CALENDAR.DATE
    LEFT JOIN OPENED
        ON OPENED.CELL_ROW = CELLS.CELL_ROW
        AND OPENED.CELL_COLUMN = CELLS.CELL_COLUMN
        AND OPENED.DATE = CALENDAR.DATE
    LEFT JOIN TOTALS ON TOTALS.DATE = CALENDAR.DATE
),
WINDOWED AS (
    SELECT
        *,
        {_back("PARCELS", 1)} AS PARCELS_1,
        {_back("PARCELS", 7)} AS PARCELS_7,
        {_over("AVG(PARCELS)", 7, 1)} AS AVG_7,
        {_over("AVG(PARCELS)", 28, 1)} AS AVG_28,
        {_over("SUM(OPENED)", None)} AS POINTS,
        {_over("SUM(OPENED_CAPACITY)", None)} AS CAPACITY
    FROM COUNTED
)
SELECT
    {geo.cell_key("CELL_ROW", "CELL_COLUMN")} AS CELL,
    {days.morning_of("DATE")} AS UPDATED_AT,
    OWN_PARCELS AS CELL_PARCELS,
    PARCELS AS AREA_PARCELS,
    PARCELS_1 AS AREA_PARCELS_LAG_1D,
    PARCELS_7 AS AREA_PARCELS_LAG_7D,
    AVG_7 AS AREA_PARCELS_7D_AVG,
    (PARCELS / NULLIF(AVG_28, 0))::FLOAT AS AREA_PARCELS_28D_RATIO,
    POINTS AS AREA_POINTS,
    CAPACITY AS AREA_CAPACITY,
    (PARCELS / NULLIF(CAPACITY, 0))::FLOAT AS AREA_PARCELS_PER_CAPACITY,
    NETWORK_PARCELS AS NETWORK_PARCELS
FROM WINDOWED"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description="Parcels announced, points and capacity in the nine cells of 1 km around",
        columns={
            "CELL_PARCELS": "Parcels announced for that day in the cell",
            "AREA_PARCELS": "Parcels announced for that day in the nine cells around",
            "AREA_PARCELS_LAG_1D": "The same, the day before",
            "AREA_PARCELS_LAG_7D": "The same, a week before",
            "AREA_PARCELS_7D_AVG": "Mean of the 7 days before",
            "AREA_PARCELS_28D_RATIO": "Parcels announced in the nine cells over the mean of the 28 days before",
            "AREA_POINTS": "Points in the nine cells",
            "AREA_CAPACITY": "Parcels that the points in the nine cells can take in a day",
            "AREA_PARCELS_PER_CAPACITY": "Parcels announced in the nine cells over the capacity there",
            "NETWORK_PARCELS": "Parcels announced for that day in the whole network",
        },
    )
}
