"""SQL for where a parcel goes: its street, and its part of the city."""

from __future__ import annotations

#: Degrees: the middle of the city, and how far its centre goes from there (3 km).
_LATITUDE, _LONGITUDE = 52.52, 13.405
_CENTRE_KM = 3


def street(address: str) -> str:
    """The address without its house number: ``Annaweg 12, 10115 Berlin`` is in ``Annaweg, 10115 Berlin``."""
    return f"RTRIM(SPLIT_PART({address}, ',', 1), ' 0123456789') || ',' || SPLIT_PART({address}, ',', 2)"


def district(latitude: str, longitude: str) -> str:
    """``centre``, or the direction from there."""
    return f"""CASE
        WHEN HAVERSINE({latitude}, {longitude}, {_LATITUDE}, {_LONGITUDE}) <= {_CENTRE_KM} THEN 'centre'
        WHEN {latitude} >= {_LATITUDE} AND {longitude} >= {_LONGITUDE} THEN 'north-east'
        WHEN {latitude} >= {_LATITUDE} THEN 'north-west'
        WHEN {longitude} >= {_LONGITUDE} THEN 'south-east'
        ELSE 'south-west'
    END"""
