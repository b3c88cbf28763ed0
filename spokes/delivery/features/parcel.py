"""What a parcel's announcement says, on the morning of the day on which it is first carried out."""

from __future__ import annotations

from spoke_kit.days import morning_of
from spoke_kit.features import Definition

_QUERY = f"""SELECT
    TRACKING_NUMBER,
    {morning_of("CREATED_DATE")} AS UPDATED_AT,
    CASE PARCEL_SIZE WHEN 'SMALL' THEN 1 WHEN 'MEDIUM' THEN 2 WHEN 'LARGE' THEN 3 END::FLOAT AS SIZE_CLASS,
    WEIGHT_KG::FLOAT AS WEIGHT_KG
FROM {{shared:PARCELS}}"""

VERSIONS = {
    "V1": Definition(
        query=_QUERY,
        description="Size and weight of a parcel",
        columns={
            "SIZE_CLASS": "1 small, 2 medium, 3 large",
            "WEIGHT_KG": "Weight in kilograms",
        },
    )
}
