"""Feature views of the entities STREET and PARCEL. A row is stamped with the morning from which it is known.

On the morning of D, 06:00 UTC, the parcels announced for D are known and the attempts made up to D-1.
"""
