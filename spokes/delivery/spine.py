"""The rows that features are asked for: a parcel and the morning of the day on which it is first carried out.

``DAY``, ``CELL`` and ``STREET`` are keys of the features of the day, of the neighbourhood and of the street.
"""

from __future__ import annotations

from datetime import date

from spoke_kit.days import morning_of
from spoke_kit.geo import cell
from spoke_kit.tasks import days_in

from .places import district, street

TIMESTAMP = "AS_OF"
LABEL = "MISSED"
DAY = "PREDICTION_DATE"
KEYS = ("TRACKING_NUMBER", DAY)
#: Columns that are no features.
OTHER = (*KEYS, "DAY", "CELL", "STREET", "DISTRICT", TIMESTAMP, LABEL)

_PARCEL = f"""PARCELS.TRACKING_NUMBER,
    TO_CHAR(PARCELS.CREATED_DATE, 'YYYY-MM-DD') AS {DAY},
    PARCELS.CREATED_DATE AS DAY,
    {cell("PARCELS.DESTINATION_LAT", "PARCELS.DESTINATION_LON")} AS CELL,
    {street("PARCELS.DESTINATION_ADDRESS")} AS STREET,
    {district("PARCELS.DESTINATION_LAT", "PARCELS.DESTINATION_LON")} AS DISTRICT,
    {morning_of("PARCELS.CREATED_DATE")} AS {TIMESTAMP}"""


def labelled(first: date, last: date) -> str:
    """SQL: each parcel announced from ``first`` to ``last`` that was tried, and whether the first attempt failed."""
    return f"""SELECT
    {_PARCEL},
    CASE WHEN ATTEMPTS.DELIVERY_STATUS = 'DELIVERED_TO_CUSTOMER' THEN 0 ELSE 1 END::FLOAT AS {LABEL}
FROM {{shared:PARCELS}} AS PARCELS
JOIN {{shared:DELIVERY_ATTEMPTS}} AS ATTEMPTS
    ON ATTEMPTS.TRACKING_NUMBER = PARCELS.TRACKING_NUMBER AND ATTEMPTS.ATTEMPT_NUMBER = 1
WHERE PARCELS.CREATED_DATE BETWEEN '{first.isoformat()}'::DATE AND '{last.isoformat()}'::DATE"""


def unlabelled(days: list[str]) -> str:
    """SQL: each parcel announced for one of ``days`` (ISO), as of that morning."""
    return f"""SELECT
    {_PARCEL}
FROM {{shared:PARCELS}} AS PARCELS
WHERE PARCELS.CREATED_DATE IN ({days_in(days)})"""
